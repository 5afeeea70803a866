import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts'
import { escapeOddText, isOddText } from '../redaction/index.ts'
import { canonicalAction } from './actions.ts'
import { readEventTime } from './event-time.ts'

/** An event as an agent reported it, whatever its shape (agent-api §6.3), read but not yet redacted. */
export type ReportedEvent = {
  readonly atMicros: number | undefined
  readonly agent: string
  readonly tool: string
  readonly verdict: string
  readonly mode: string
  /** Empty when none is named. */
  readonly rule: string
  /** Empty when none is given; the caller derives one. */
  readonly callId: string
  readonly sessionId: string | undefined
  readonly revision: string | undefined
  /** Which rendering of the rules language its sender speaks, as far as the shape tells. */
  readonly dialect: 'contract_bundle' | 'ruleset' | undefined
  readonly isCut: boolean
  readonly isOdd: boolean
}

const wordLengthMax = 500
const idLengthMax = 1_000

/** Reads one event, or says in a sentence what it lacks. `agent` is the header's, `fallbackAgent` the key's. */
export function readReportedEvent(
  raw: JsonValue | undefined,
  agent: string | undefined,
  fallbackAgent: string,
): ReportedEvent | string {
  if (!isJsonObject(raw)) return 'An event must be an object.'
  const inner: JsonObject = isJsonObject(raw['payload']) ? raw['payload'] : raw
  const tool = raw['tool_name']
  if (typeof tool !== 'string') return 'tool_name is missing or no text.'
  const action = text(raw['action']) || text(raw['decision']) || text(raw['verdict'])
  if (action === '') return 'action is missing: send action, decision or verdict.'
  const callId = text(raw['call_id'])
  const sessionId = text(raw['session_id']) || text(inner['session_id'])
  const words = {
    agent: agent ?? (text(raw['agent_id']) || text(raw['user']) || fallbackAgent),
    tool,
    verdict: canonicalAction(action),
    mode: text(raw['mode']) || 'enforce',
    rule: text(inner['decision_name']) || text(inner['rule_name']) || text(inner['contract_name']),
  }
  const revision = text(inner['policy_version'])
  const isPlain =
    isShortAndPlain(words.agent, wordLengthMax) &&
    isShortAndPlain(tool, wordLengthMax) &&
    isShortAndPlain(words.verdict, wordLengthMax) &&
    isShortAndPlain(words.mode, wordLengthMax) &&
    isShortAndPlain(words.rule, wordLengthMax) &&
    isShortAndPlain(callId, idLengthMax) &&
    isShortAndPlain(sessionId, idLengthMax)
  const event = {
    atMicros: readEventTime(raw['timestamp']),
    ...words,
    callId,
    sessionId: sessionId === '' ? undefined : sessionId,
    revision: revision === '' || revision.length > 200 ? undefined : revision,
    dialect: dialectOf(raw),
    isCut: false,
    isOdd: false,
  }
  return isPlain ? event : tidied(event)
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}

/** A, nested with `verdict`, speaks contract bundles; B, nested with `decision`, and flat ones speak rulesets. */
function dialectOf(raw: JsonObject): ReportedEvent['dialect'] {
  if (typeof raw['schema_version'] === 'string' || typeof raw['action'] === 'string') return 'ruleset'
  if (!('payload' in raw)) return undefined
  return typeof raw['decision'] === 'string' ? 'ruleset' : 'contract_bundle'
}

// The unit separators keep the columns of a batch apart, so they must not be in any of them.
const control = /[\0-\x1f\x7f]/
const controls = /[\0-\x1f\x7f]/g

function isShortAndPlain(word: string, lengthMax: number): boolean {
  return word.length <= lengthMax && !control.test(word) && word.isWellFormed()
}

function tidied(event: ReportedEvent): ReportedEvent {
  const { agent, tool, verdict, mode, rule, callId, sessionId } = event
  const all: readonly (readonly [string, number])[] = [
    [agent, wordLengthMax],
    [tool, wordLengthMax],
    [verdict, wordLengthMax],
    [mode, wordLengthMax],
    [rule, wordLengthMax],
    [callId, idLengthMax],
    [sessionId ?? '', idLengthMax],
  ]
  return {
    ...event,
    agent: tidy(agent, wordLengthMax),
    tool: tidy(tool, wordLengthMax),
    verdict: tidy(verdict, wordLengthMax),
    mode: tidy(mode, wordLengthMax),
    rule: tidy(rule, wordLengthMax),
    callId: tidy(callId, idLengthMax),
    sessionId: sessionId === undefined ? undefined : tidy(sessionId, idLengthMax),
    isCut: all.some(([word, lengthMax]) => plain(word.slice(0, lengthMax + 1)).length > lengthMax),
    isOdd: all.some(([word]) => isOddText(word) || control.test(word)),
  }
}

function tidy(word: string, lengthMax: number): string {
  const clean = plain(word.slice(0, lengthMax + 1))
  return clean.length <= lengthMax ? clean : `${wellFormed(clean.slice(0, lengthMax - 1))}…`
}

function plain(word: string): string {
  return escapeOddText(word).replace(controls, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A cut may go through the middle of a pair. */
function wellFormed(word: string): string {
  return word.isWellFormed() ? word : word.slice(0, -1)
}
