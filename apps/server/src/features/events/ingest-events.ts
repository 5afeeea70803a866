import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../../kernel/clock.ts'
import { isJsonObject, type JsonValue, NestedTooDeep, writeSortedJson } from '../../kernel/json.ts'
import { redact, writeChecked } from '../redaction/index.ts'
import { callDigest } from './call-digest.ts'
import { flagBits } from './event-flags.ts'
import type { EventWords } from './event-words.ts'
import type { EventWriter } from './event-writer.ts'
import type { EventRow } from './events-table.ts'
import { type ReportedEvent, readReportedEvent } from './reported-event.ts'

/** Who delivers: all of it comes from the credential, except the agent, which the header claims. */
export type Sender = {
  readonly tenant: string
  readonly environment: string
  readonly keyPrefix: string
  readonly agentId: string | undefined
}

export type Ingested = {
  readonly accepted: number
  readonly duplicates: number
  readonly rejected: readonly { readonly index: number; readonly error: string }[]
}

/** An agent was seen running a revision. */
export type Evidence = {
  readonly tenant: string
  readonly environment: string
  readonly agentId: string
  readonly revisionHash: string | undefined
  readonly dialect?: 'contract_bundle' | 'ruleset'
  readonly at: Date
  readonly source: 'event'
}

type Needs = {
  readonly clock: Pick<Clock, 'now'>
  readonly words: EventWords
  readonly writer: EventWriter
  /** HMAC-SHA-256 in hexadecimal, one a secret, the current one first. */
  readonly macs: readonly ((scope: string, text: string) => string)[]
  /** Which of these ids are stored; asked only while an older secret is still listed. */
  readonly storedIds: (tenant: string, ids: readonly string[]) => Promise<ReadonlySet<string>>
  /** Told what was stored, after the commit. Must be cheap and not throw. */
  readonly hear: (sender: Sender, accepted: number, evidence: readonly Evidence[]) => void
}

export type IngestEvents = (sender: Sender, events: readonly JsonValue[]) => Promise<Ingested>

type Prepared = {
  readonly index: number
  readonly event: ReportedEvent
  readonly row: Draft
  readonly olderIds: readonly string[]
}
type Draft = Pick<EventRow, 'id' | 'atMicros' | 'flags' | 'callId' | 'sessionId' | 'payload' | 'callDigest'>

const payloadLengthMax = 256 * 1_024
const clockAheadMicros = 5 * 60 * 1_000_000
/** After so many events others get a turn; a request may bring ten thousand. */
const eventsPerTurn = 500

/**
 * Takes events as they come: stores the good ones once each, however often they are delivered, and says what is wrong
 * with the others. One odd event never costs the rest.
 */
export function ingestEvents({ clock, words, writer, macs, storedIds, hear }: Needs): IngestEvents {
  const prepare = (sender: Sender, seen: Map<string, number>, raw: JsonValue, index: number): Prepared | string => {
    const event = readReportedEvent(raw, sender.agentId, `key:${sender.keyPrefix}`)
    if (typeof event === 'string') return event
    const { text, isClean } = writeChecked(raw)
    const scope = `${sender.tenant}\n${sender.environment}\n${event.agent}\n`
    const ids = macs.map((mac) => {
      const first = mac(scope, text)
      const ordinal = seen.get(first) ?? 0
      seen.set(first, ordinal + 1)
      return eventId(event.atMicros, ordinal === 0 ? first : mac(first, `\n${ordinal}`))
    })
    const [id = '', ...olderIds] = ids
    const found = isClean ? undefined : redact(raw)
    const payload = found
      ? cutPayload(found.value, found.value === raw ? text : writeSortedJson(found.value))
      : cutPayload(raw, text)
    const nowMicros = clock.now().getTime() * 1_000
    const atMicros = event.atMicros ?? nowMicros
    const flags = flagBits({
      time_unreadable: event.atMicros === undefined,
      clock_off: atMicros > nowMicros + clockAheadMicros,
      odd_text: event.isOdd || found?.hasOddText === true,
      redacted: found?.isRedacted === true,
      cut: event.isCut || found?.isCut === true || payload.isCut,
      exact_numbers: found?.hasExactNumbers === true,
    })
    return {
      index,
      event,
      olderIds,
      row: {
        id,
        atMicros,
        flags,
        callId: event.callId === '' ? id : event.callId,
        sessionId: event.sessionId ?? '',
        payload: payload.text,
        callDigest: callDigest(sender.environment, event, payload.text),
      },
    }
  }

  const learnWords = async (sender: Sender, prepared: readonly Prepared[]): Promise<void> => {
    const unknown = new Set<string>()
    const see = (word: string): void => {
      if (words.known(sender.tenant, word) === undefined) unknown.add(word)
    }
    see(sender.environment)
    see(sender.keyPrefix)
    for (const { event } of prepared) {
      see(event.agent)
      see(event.tool)
      see(event.verdict)
      see(event.mode)
      see(event.rule)
    }
    if (unknown.size > 0) await words.learn(sender.tenant, unknown)
  }

  const rowsOf = ({ tenant, environment, keyPrefix }: Sender, prepared: readonly Prepared[]): readonly EventRow[] => {
    const number = (word: string): number => {
      const known = words.known(tenant, word)
      if (known === undefined) throw new Error('A word of an event was forgotten before it was used')
      return known
    }
    const shared = { tenant, environment: number(environment), keyPrefix: number(keyPrefix) }
    return prepared.map(({ event, row }) => ({
      ...shared,
      ...row,
      agent: number(event.agent),
      tool: number(event.tool),
      verdict: number(event.verdict),
      mode: number(event.mode),
      rule: number(event.rule),
    }))
  }

  /** Events that are stored under an id an older secret gave them; a retry may outlive the change of the secret. */
  const withoutOlder = async (sender: Sender, prepared: readonly Prepared[]): Promise<readonly Prepared[]> => {
    if (macs.length < 2 || prepared.length === 0) return prepared
    const stored = await storedIds(
      sender.tenant,
      prepared.flatMap(({ olderIds }) => olderIds),
    )
    return prepared.filter(({ olderIds }) => !olderIds.some((id) => stored.has(id)))
  }

  return async (sender, events) => {
    const prepared: Prepared[] = []
    const rejected: { index: number; error: string }[] = []
    const seen = new Map<string, number>()
    for (let index = 0; index < events.length; index += 1) {
      if (index > 0 && index % eventsPerTurn === 0) await nextTurn()
      const one = attempt(() => prepare(sender, seen, events[index] ?? null, index))
      if (typeof one === 'string') rejected.push({ index, error: one })
      else prepared.push(one)
    }
    const fresh = await withoutOlder(sender, prepared)
    await learnWords(sender, fresh)
    const { accepted, refused } = await writer.write(rowsOf(sender, fresh))
    for (const { index, row } of fresh) {
      if (refused.has(row.id)) rejected.push({ index, error: 'The database does not take a value of this event.' })
    }
    if (prepared.length > 0) hear(sender, accepted, evidenceOf(sender, prepared))
    return { accepted, duplicates: prepared.length - accepted - refused.size, rejected }
  }
}

function attempt(work: () => Prepared | string): Prepared | string {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof NestedTooDeep) return `${cause.message}.`
    throw cause
  }
}

/**
 * The id of an event is made of what it says, so that a second delivery finds the first: a UUIDv7 whose time is the
 * event's (so that keys of one hour lie together) and whose other bits are a keyed digest of everything in it.
 */
function eventId(atMicros: number | undefined, mac: string): string {
  const time = Math.floor((atMicros ?? 0) / 1_000)
    .toString(16)
    .padStart(12, '0')
  const variant = '89ab'[Number.parseInt(mac[3] ?? '0', 16) & 3] ?? '8'
  return `${time.slice(0, 8)}-${time.slice(8)}-7${mac.slice(0, 3)}-${variant}${mac.slice(4, 7)}-${mac.slice(7, 19)}`
}

/** An event that is too large keeps what says who did what; its arguments go first. */
function cutPayload(value: JsonValue, text: string): { readonly text: string; readonly isCut: boolean } {
  if (text.length <= payloadLengthMax || !isJsonObject(value)) return { text, isCut: false }
  const note = { _redacted: `payload exceeded ${payloadLengthMax / 1_024}KB` }
  const { result_summary: _summary, tool_args: _args, payload, ...outer } = value
  const inner = isJsonObject(payload) ? { payload: { ...payload, tool_args: note } } : { tool_args: note }
  const smaller = writeSortedJson({ ...outer, ...inner, _truncated: true })
  if (smaller.length <= payloadLengthMax) return { text: smaller, isCut: true }
  const short = Object.entries(outer).filter(([, one]) => typeof one !== 'object' && String(one).length <= 2_000)
  return {
    text: writeSortedJson({ ...Object.fromEntries(short.slice(0, 50)), tool_args: note, _truncated: true }),
    isCut: true,
  }
}

/** The newest revision each agent named in this request. */
function evidenceOf({ tenant, environment }: Sender, prepared: readonly Prepared[]): readonly Evidence[] {
  const newest = new Map<string, Prepared>()
  for (const one of prepared) {
    const before = newest.get(one.event.agent)
    const says = one.event.revision !== undefined
    const isNewer =
      before === undefined || (says && (before.event.revision === undefined || one.row.atMicros >= before.row.atMicros))
    if (isNewer) newest.set(one.event.agent, one)
  }
  return [...newest.values()].map(({ event, row }) => ({
    tenant,
    environment,
    agentId: event.agent,
    revisionHash: event.revision,
    ...(event.dialect && { dialect: event.dialect }),
    at: new Date(Math.floor(row.atMicros / 1_000)),
    source: 'event',
  }))
}
