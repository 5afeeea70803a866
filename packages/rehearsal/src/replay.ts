import type { Compiled, JsonValue } from '@countersign/rules'
import { callGroups } from './call-groups.ts'
import { assumptionsOf, type Judgement, judgeWith } from './judge.ts'
import { pickCalls } from './pick-calls.ts'
import { callOf, type RecordedEvent, type RecordedLike, type Was, wasOf } from './recorded-call.ts'
import { addTo, type Change, type ChangeCounts, noChanges, type Sample, tallySheet } from './tally.ts'

export interface ReplayOptions {
  readonly draft: Compiled
  /** Compared with what this says; otherwise with what was recorded. */
  readonly baseline?: Compiled | undefined
  readonly sinceMs: number
  readonly untilMs: number
  /** So many different calls are remembered; beyond that, one that returns is evaluated again. */
  readonly rememberedMax?: number
}

export interface ReplayOutcome {
  readonly counts: ChangeCounts & { readonly calls: number; readonly distinctCalls: number }
  readonly rules: readonly RuleTally[]
  readonly tools: readonly (ChangeCounts & { readonly tool: string })[]
  readonly samples: readonly Sample[]
  readonly histogram: {
    readonly bucketSeconds: number
    readonly buckets: readonly (ChangeCounts & { readonly atMs: number })[]
  }
  readonly assumptions: readonly string[]
  readonly skipped: number
}

export interface RuleTally {
  readonly rule: string
  readonly newlyBlocked: number
  readonly newlyHeld: number
  readonly newlyAllowed: number
  readonly undecided: number
  readonly observed: number
}

export interface Replay {
  /** Events in the order of their times. */
  readonly add: (event: RecordedEvent) => void
  /** Whether one with this digest was added, and is remembered. */
  readonly knows: (digest: string) => boolean
  /** In place of `add`, for an event whose digest is known. False when it is not: then all of the event must be added. */
  readonly addLike: (event: RecordedLike) => boolean
  readonly progress: () => { readonly events: number; readonly distinctCalls: number }
  readonly end: () => ReplayOutcome
}

/** Calls that are the same in everything a decision depends on, and had the same fate. */
interface Group {
  readonly change: Change | 'skipped'
  readonly sample: Omit<Sample, 'count'>
  readonly observed: readonly string[]
  count: number
}

/** The first event of a digest, which stands for those that follow. */
interface First {
  readonly action: string
  /** Gone when its group is found, unless the group may have to be found again: payloads take much room. */
  event: RecordedEvent | undefined
  group?: Group
  /** Its group is one of those that are counted at present, and not one that was added up already. */
  age: number
}

/** One event of a call, told by the first that was like it. */
interface Occurrence {
  readonly action: string
  readonly callId: string
  readonly atMs: number
  readonly first: First
}

const rememberedByDefault = 200_000

/**
 * Runs recorded calls against a ruleset and tells what would change. Calls that are the same are evaluated once. Pure: it
 * is given the events and asked for the outcome.
 */
export function replay({
  draft,
  baseline,
  sinceMs,
  untilMs,
  rememberedMax = rememberedByDefault,
}: ReplayOptions): Replay {
  const judgeDraft = judgeWith(draft)
  const judgeBaseline = baseline && judgeWith(baseline)
  const bucketSeconds = bucketSecondsFor(sinceMs, untilMs)
  const bucketMs = bucketSeconds * 1_000
  const firstBucket = Math.floor(sinceMs / bucketMs)
  const buckets: ChangeCounts[] = []
  const sheet = tallySheet()
  let events = 0
  let distinct = 0

  const make = (event: RecordedEvent): Group => {
    distinct += 1
    const { call, source } = callOf(event)
    const recorded = wasOf(event)
    const now = judgeDraft(event, call)
    const was: Judgement = judgeBaseline
      ? judgeBaseline(event, call)
      : { is: 'decided', verdict: recorded, rule: event.rule || undefined, message: undefined, observed: [] }
    const isBeyond = !judgeBaseline && recorded !== 'allow' && source !== undefined && notReplayed.has(source)
    return {
      change: isBeyond ? 'skipped' : changeBetween(was, now),
      sample: sampleOf(event, call.args, was, now),
      observed: now.is === 'decided' ? now.observed : [],
      count: 0,
    }
  }

  const groups = callGroups(make)
  let firsts = new Map<string, First>()
  let age = 0
  const settle = (): void => {
    groups.drain(sheet.add)
    firsts = new Map()
    age += 1
  }

  const groupOf = (first: First): Group => {
    if (first.group && first.age === age) return first.group
    const { event } = first
    if (!event) throw new Error('A group that was added up is asked for again')
    if (event.action !== 'call_would_block') first.event = undefined
    first.age = age
    return (first.group = groups.of(event))
  }

  const calls = pickCalls<Occurrence>(({ first, atMs }) => {
    const group = groupOf(first)
    group.count += 1
    if (groups.size() >= rememberedMax || firsts.size >= 2 * rememberedMax) settle()
    if (group.change === 'skipped') return
    const at = Math.max(0, Math.floor(atMs / bucketMs) - firstBucket)
    while (buckets.length <= at && buckets.length < bucketsMax) buckets.push({ ...noChanges })
    const bucket = buckets[Math.min(at, bucketsMax - 1)]
    if (bucket) addTo(bucket, group.change, 1)
  })

  return {
    add: (event) => {
      events += 1
      const { action, callId, atMs, digest } = event
      const first: First = { action, event, age: -1 }
      if (digest !== undefined) firsts.set(digest, first)
      calls.add({ action, callId, atMs, first })
    },
    knows: (digest) => firsts.has(digest),
    addLike: ({ callId, atMs, digest }) => {
      const first = firsts.get(digest)
      if (first === undefined) return false
      events += 1
      calls.add({ action: first.action, callId, atMs, first })
      return true
    },
    progress: () => ({ events, distinctCalls: distinct }),
    end: () => {
      calls.end()
      settle()
      const { counts, rules, tools, samples, skipped } = sheet.end()
      return {
        counts: { ...counts, calls: sum(counts), distinctCalls: distinct },
        rules,
        tools,
        samples,
        histogram: {
          bucketSeconds,
          buckets: buckets.map((bucket, at) => ({ ...bucket, atMs: (firstBucket + at) * bucketMs })),
        },
        assumptions: assumptionsOf(draft, !baseline),
        skipped,
      }
    },
  }
}

/** Steps that depend on what happened before the call, which is not replayed. */
const notReplayed = new Set(['yaml_session', 'attempt_limit', 'operation_limit', 'session_limit', 'workflow'])

function changeBetween(was: Judgement, now: Judgement): Change {
  if (was.is === 'undecided' || now.is === 'undecided') return 'undecided'
  if (was.verdict === now.verdict) return 'same'
  return now.verdict === 'block' ? 'newlyBlocked' : now.verdict === 'hold' ? 'newlyHeld' : 'newlyAllowed'
}

function sampleOf(event: RecordedEvent, args: JsonValue, was: Judgement, now: Judgement): Omit<Sample, 'count'> {
  const change = changeBetween(was, now)
  const words = (one: Judgement): { verdict: Was | 'undecided'; rule: string | undefined } =>
    one.is === 'decided' ? { verdict: one.verdict, rule: one.rule } : { verdict: 'undecided', rule: one.rules[0] }
  const open = now.is === 'undecided' ? now : was.is === 'undecided' ? was : undefined
  return {
    change,
    rule: change === 'newlyAllowed' ? words(was).rule : words(open ?? now).rule,
    eventId: event.id,
    atMs: event.atMs,
    agent: event.agent,
    environment: event.environment,
    tool: event.tool,
    args,
    was: words(was),
    now: { ...words(now), message: now.is === 'decided' ? now.message : undefined },
    why: open && `${open.rules.join(', ')} reads a value that was not recorded as it was.`,
  }
}

function sum({ newlyBlocked, newlyHeld, newlyAllowed, same, undecided }: ChangeCounts): number {
  return newlyBlocked + newlyHeld + newlyAllowed + same + undecided
}

const bucketSizes = [60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400, 604_800]
const bucketsWanted = 60
const bucketsMax = 1_000

export function bucketSecondsFor(sinceMs: number, untilMs: number): number {
  const seconds = Math.max(0, untilMs - sinceMs) / 1_000
  return (
    bucketSizes.find((size) => seconds / size <= bucketsWanted) ?? Math.ceil(seconds / bucketsWanted / 86_400) * 86_400
  )
}
