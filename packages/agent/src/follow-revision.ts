import { GuardFailed, RevisionRefused } from './errors.ts'
import { makeEventParser, type StreamEvent } from './event-stream.ts'
import type { GuardProblem } from './guard-options.ts'
import { type Clock, chance, type Stop } from './host.ts'
import type { KeptRevision } from './kept-revision.ts'
import type { Revision } from './revision.ts'
import { hasContent, readServedRuleset, type ServedRuleset } from './served-ruleset.ts'
import { type Server, ServerAnswered } from './server.ts'
import type { Trust } from './trust.ts'

/** The revision an agent enforces, kept up to date with what is rolled out for it. */
export type Following = {
  readonly revision: () => Revision
  readonly isConnected: () => boolean
  readonly stop: () => Promise<void>
}

type Needs = {
  readonly server: Server
  readonly clock: Clock
  readonly trust: Trust
  readonly kept: KeptRevision
  readonly load: (bytes: Uint8Array) => Revision
  readonly asked: {
    readonly environment: string
    readonly ruleset: string | undefined
    readonly tags: Readonly<Record<string, string>>
  }
  /** Whether a revision that was replaced here may come again when the server says that it was rolled out anew. */
  readonly mayStepBack: boolean
  readonly startTimeoutMs: number
  readonly onLoaded: (revision: Revision) => void
  /** The server is there, perhaps again. */
  readonly onConnected: () => void
  readonly onProblem: (problem: GuardProblem) => void
}

/** Servers give a sign of life every 10 to 15 seconds. */
const silenceMsMax = 45_000
const backOffMsMin = 500
const backOffMsMax = 30_000
const steadyAfterMs = 30_000
/** What is live is sent within a second of the stream's opening; after this nothing newer is coming. */
const settledMs = 1_500
/** With a kept revision an agent does not wait long for a server that does not answer. */
const keptPatienceMs = 5_000

type Held = { readonly served: ServedRuleset; readonly revision: Revision }

/** Resolves as soon as there is something good to enforce; rejects when there is nothing and none comes. */
export async function followRevision(needs: Needs): Promise<Following> {
  const { server, clock, trust, kept, load, asked, onLoaded, onConnected, onProblem } = needs
  const stopping = new AbortController()
  const { signal } = stopping
  const start = makeStart()
  const replaced = new Set<string>()
  let held = await loadKept()
  let isConnected = false
  let refusedBefore = ''

  async function loadKept(): Promise<Held | undefined> {
    try {
      const found = await kept.load()
      if (!found) return undefined
      for (const hash of found.replaced) replaced.add(hash)
      return { served: found.served, revision: load(found.served.bytes) }
    } catch (cause) {
      onProblem({ kind: 'state_unusable', message: `The kept revision cannot be used: ${reasonOf(cause)}`, cause })
      return undefined
    }
  }

  /** Enforces it if everything about it is right; otherwise throws and what was enforced stays. */
  const accept = async (given: ServedRuleset): Promise<void> => {
    const served = believable(given, clock.now().getTime())
    if (held?.served.hash === served.hash && held.served.name === served.name) {
      if (served.rolledOutAtMs !== undefined) await hold({ ...held, served: { ...held.served, ...onlyTime(served) } })
      return
    }
    await trust.check(served)
    refuseOlder(served, held?.served)
    if (!needs.mayStepBack && replaced.has(served.hash)) {
      throw new RevisionRefused(
        `The ruleset ${served.name}, ${served.hash.slice(0, 12)}, was replaced here before, and stepsBack is refuse.`,
      )
    }
    const revision = load(served.bytes)
    // The name is part of what is signed, so that one ruleset cannot be passed off as another.
    if (revision.name !== served.name) {
      throw new RevisionRefused(`The ruleset sent as ${served.name} calls itself ${revision.name}.`)
    }
    await hold({ served, revision })
    onLoaded(revision)
    start.settle()
  }

  const hold = async (next: Held): Promise<void> => {
    noteReplaced(replaced, held?.served.hash, next.served.hash)
    held = next
    try {
      await kept.keep({ served: next.served, replaced: [...replaced] })
    } catch (cause) {
      // Enforced all the same; only a restart without a server would not find it.
      onProblem({ kind: 'state_unusable', message: `The revision cannot be kept: ${reasonOf(cause)}`, cause })
    }
  }

  const fetchRuleset = (name: string): Promise<Readonly<Record<string, unknown>>> =>
    server.request('GET', `/rulesets/${encodeURIComponent(name)}/current`, { signal })

  const update = async (data: Readonly<Record<string, unknown>>): Promise<void> => {
    const name = data['bundle_name'] ?? data['name']
    const isWhole = hasContent(data)
    if (!isWhole && typeof name !== 'string')
      throw new RevisionRefused('The server announced a ruleset without a name.')
    const served = readServedRuleset(isWhole ? data : await fetchRuleset(String(name)))
    await accept(served)
    refusedBefore = ''
  }

  /** A revision that cannot be taken is told once; a server that cannot be asked ends the connection, to begin anew. */
  const hear = async ({ name, data }: StreamEvent): Promise<void> => {
    if (name !== 'contract_update') return
    try {
      await update(objectIn(data))
    } catch (cause) {
      if (!(cause instanceof RevisionRefused)) throw cause
      if (cause.message === refusedBefore) return
      refusedBefore = cause.message
      const stays = held ? ` What was enforced stays: ${held.served.name}, ${held.served.hash.slice(0, 12)}.` : ''
      onProblem({ kind: 'revision_refused', message: `${cause.message}${stays}`, cause })
      start.refused(cause)
    }
  }

  const path = (): string => {
    const query = new URLSearchParams({ env: asked.environment })
    if (asked.ruleset !== undefined) query.set('bundle_name', asked.ruleset)
    if (Object.keys(asked.tags).length > 0) query.set('tags', JSON.stringify(asked.tags))
    // What is really enforced: the server sends nothing when that is live, and what is live otherwise.
    if (held) query.set('policy_version', held.served.hash)
    return `/stream?${query.toString()}`
  }

  const connect = async (): Promise<void> => {
    const connection = new AbortController()
    const ended = AbortSignal.any([signal, connection.signal])
    let watch: Stop = () => undefined
    const alive = (): void => {
      watch()
      watch = clock.after(silenceMsMax, () => connection.abort(new Error('the stream fell silent')))
    }
    try {
      const chunks = await server.openStream(path(), ended)
      isConnected = true
      start.opened()
      onConnected()
      alive()
      const heard: StreamEvent[] = []
      const parse = makeEventParser((event) => heard.push(event))
      const decoder = new TextDecoder()
      for await (const chunk of chunks) {
        alive()
        parse(decoder.decode(chunk, { stream: true }))
        for (const event of heard.splice(0)) await hear(event)
      }
    } finally {
      watch()
      isConnected = false
      connection.abort()
    }
  }

  const follow = async (): Promise<void> => {
    let failures = 0
    while (!signal.aborted) {
      const sinceMs = clock.steadyMs()
      let delayMs = 1_000
      try {
        await connect()
        failures = 0
      } catch (cause) {
        if (signal.aborted) return
        if (clock.steadyMs() - sinceMs >= steadyAfterMs) failures = 0
        failures += 1
        if (failures === 1 || isRefusal(cause)) tellBroken(cause)
        start.failed(cause)
        delayMs = retryMsOf(cause, failures)
      }
      await pause(clock, delayMs * (0.5 + chance() / 2), signal)
    }
  }

  let toldRefusal = false
  const tellBroken = (cause: unknown): void => {
    const isNo = isRefusal(cause)
    if (isNo && toldRefusal) return
    toldRefusal ||= isNo
    const what = held ? 'The rules that are enforced stay' : 'There are no rules yet'
    onProblem({
      kind: isNo ? 'key_refused' : 'server_unreachable',
      message: `${what}, no change arrives: ${reasonOf(cause)}`,
      cause,
    })
  }

  function makeStart() {
    let settle: () => void = () => undefined
    let fail: (cause: GuardFailed) => void = () => undefined
    let last: unknown
    let isOver = false
    const stops: Stop[] = []
    const done = new Promise<void>((resolve, reject) => {
      settle = resolve
      fail = reject
    })
    const after = (milliseconds: number, work: () => void): void => {
      stops.push(clock.after(milliseconds, work))
    }
    const nothing = (why: string): void => {
      fail(new GuardFailed(`There is nothing to enforce: ${why}`, { cause: last }))
    }
    return {
      settle: () => settle(),
      /** Nothing newer came: what was kept is what is live, or the named ruleset is live nowhere. */
      opened: () => {
        if (!isOver) after(settledMs, () => (held ? settle() : void explainSilence(nothing)))
      },
      failed: (cause: unknown) => {
        last = cause
        if (held) settle()
        else if (isRefusal(cause)) nothing(reasonOf(cause))
      },
      refused: (cause: RevisionRefused) => {
        last = cause
        if (held) settle()
        else nothing(cause.message)
      },
      wait: async () => {
        if (held) after(Math.min(keptPatienceMs, needs.startTimeoutMs), settle)
        else
          after(needs.startTimeoutMs, () => nothing(last === undefined ? 'the server sent no ruleset' : reasonOf(last)))
        try {
          await done
        } finally {
          isOver = true
          for (const stop of stops) stop()
        }
      },
    }
  }

  /** The stream says nothing about a name that is live nowhere; a fetch does. */
  const explainSilence = async (nothing: (why: string) => void): Promise<void> => {
    if (held || asked.ruleset === undefined) return
    try {
      await update(await fetchRuleset(asked.ruleset))
    } catch (cause) {
      if (!held && !signal.aborted && (cause instanceof RevisionRefused || isAnswer(cause, 404)))
        nothing(reasonOf(cause))
    }
  }

  const following = follow()
  try {
    await start.wait()
  } catch (cause) {
    stopping.abort()
    await following
    throw cause
  }
  const first = held
  if (!first) throw new GuardFailed('There is nothing to enforce.')
  onLoaded(first.revision)
  return {
    revision: () => (held ?? first).revision,
    isConnected: () => isConnected,
    stop: async () => {
      stopping.abort()
      await following
    },
  }
}

const replacedMax = 1_000

function noteReplaced(replaced: Set<string>, before: string | undefined, now: string): void {
  if (before === undefined || before === now) return
  replaced.delete(now)
  replaced.add(before)
  for (const oldest of replaced) {
    if (replaced.size <= replacedMax) return
    replaced.delete(oldest)
  }
}

const clocksApartMsMax = 24 * 3_600_000

/**
 * The time of a roll-out is not signed. One that is yet to come would make everything that is rolled out until then look
 * older, so that whoever says it once could keep an agent from every change; it is taken as not said.
 */
function believable(served: ServedRuleset, nowMs: number): ServedRuleset {
  const { rolledOutAtMs: at } = served
  return at !== undefined && at > nowMs + clocksApartMsMax ? { ...served, rolledOutAtMs: undefined } : served
}

/**
 * A signature says nothing about when. What was rolled out before what is enforced now comes from a replica that lags, or
 * from somebody who kept it; a step back that an operator makes is a new roll-out of an older revision.
 */
function refuseOlder(served: ServedRuleset, held: ServedRuleset | undefined): void {
  if (!held || held.name !== served.name) return
  const { rolledOutAtMs: at } = served
  const isOlder =
    at !== undefined && held.rolledOutAtMs !== undefined ? at < held.rolledOutAtMs : served.version < held.version
  if (!isOlder) return
  throw new RevisionRefused(
    `Version ${served.version} of ${served.name} was rolled out before version ${held.version}.`,
  )
}

function onlyTime({ rolledOutAtMs }: ServedRuleset): Pick<ServedRuleset, 'rolledOutAtMs'> {
  return { rolledOutAtMs }
}

function objectIn(data: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch (cause) {
    throw new RevisionRefused('The server announced a ruleset in no JSON.', { cause })
  }
  if (typeof value !== 'object' || value === null) throw new RevisionRefused('The server announced nothing.')
  return value as Readonly<Record<string, unknown>>
}

function retryMsOf(cause: unknown, failures: number): number {
  const asked = cause instanceof ServerAnswered ? (cause.retryAfterSeconds ?? 0) * 1_000 : 0
  return Math.max(asked, Math.min(backOffMsMax, backOffMsMin * 2 ** Math.min(failures, 10)))
}

function pause(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const over = (): void => {
      stop()
      signal.removeEventListener('abort', over)
      resolve()
    }
    const stop = clock.after(milliseconds, over)
    signal.addEventListener('abort', over, { once: true })
  })
}

function isAnswer(cause: unknown, ...statuses: readonly number[]): boolean {
  return cause instanceof ServerAnswered && statuses.includes(cause.status)
}

function isRefusal(cause: unknown): boolean {
  return isAnswer(cause, 401, 403)
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
