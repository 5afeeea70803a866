import type { RecordedEvent } from './recorded-call.ts'

/** What of a payload decides, beside the words every event has. */
export interface Identity {
  readonly args: string
  readonly principal: string
  readonly source: string
}

/**
 * One text for all of it: recorded calls that share it are evaluated once. The parts contain no line break, since words
 * are tidied and JSON escapes it.
 */
export function callIdentity({
  environment,
  tool,
  action,
  mode,
  rule,
  payload,
}: Pick<RecordedEvent, 'environment' | 'tool' | 'action' | 'mode' | 'rule' | 'payload'>): string {
  const { args, principal, source } = identityOf(payload, action !== 'call_allowed')
  return `${environment}\n${tool}\n${action}\n${mode}\n${rule}\n${source}\n${principal}\n${args}`
}

const argsLabel = '"tool_args":'
const principalLabel = '"principal":'
const sourceLabel = '"decision_source":'

/**
 * Texts that two recorded calls share when no ruleset can tell them apart: arguments and principal, and for calls that were
 * stopped the step that did it. Taken from the payload's text, since reading all of it costs more than everything else.
 * Payloads have their keys in order, so equal values have equal texts.
 *
 * A label may also occur deeper down, or twice; where it is not certain which one is meant the whole payload is taken,
 * which only makes two calls count as different.
 */
export function identityOf(payload: string, wantsSource: boolean): Identity {
  const at = payload.indexOf(argsLabel)
  // Behind a backslash the quote is part of a key.
  if (at < 0 || payload.charCodeAt(at - 1) === backslash) return { args: payload, principal: '', source: '' }
  const start = at + argsLabel.length
  const end = endOfValue(payload, start)
  // Keys are in order, so what belongs to the same object as the arguments stands before them, and little behind.
  const isOnly = payload.indexOf(argsLabel, end) < 0
  const principal = isOnly ? onlyValue(payload, principalLabel, at, end) : undefined
  const source = wantsSource ? onlyValue(payload, sourceLabel, at, end) : ''
  if (principal === undefined || source === undefined) return { args: payload, principal: '', source: '' }
  return { args: payload.slice(start, end), principal, source }
}

let lastValue = '""'

/**
 * The text of the value behind a label that stands before the arguments; empty when there is none, undefined when there may
 * be several. Inside the arguments it means nothing.
 */
function onlyValue(payload: string, label: string, argsAt: number, argsEnd: number): string | undefined {
  const at = payload.indexOf(label)
  if (at < 0) return ''
  if (at > argsAt) return payload.indexOf(label, argsEnd) < 0 ? '' : undefined
  if (payload.charCodeAt(at - 1) === backslash) return undefined
  const start = at + label.length
  // The same few callers come again and again; a whole object or text is no beginning of another.
  const end = payload.startsWith(lastValue, start) ? start + lastValue.length : endOfValue(payload, start)
  const next = payload.indexOf(label, end)
  if (next >= 0 && (next < argsAt || payload.indexOf(label, argsEnd) >= 0)) return undefined
  if (end - start === lastValue.length && payload.startsWith(lastValue, start)) return lastValue
  const value = payload.slice(start, end)
  const last = value.charCodeAt(value.length - 1)
  if (last === quote || last === 125) lastValue = ownText(value)
  return value
}

/** The same text in memory of its own: a piece of a payload would keep all of it. */
export function ownText(text: string): string {
  return text.length < 13 ? text : [text.slice(0, 1), text.slice(1)].join('')
}

const backslash = 92
const quote = 34

function endOfValue(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case quote:
        at = endOfText(text, at + 1)
        if (depth === 0) return at + 1
        break
      case 123: // {
      case 91: // [
        depth += 1
        break
      case 125: // }
      case 93: // ]
        depth -= 1
        if (depth <= 0) return depth < 0 ? at : at + 1
        break
      case 44: // ,
        if (depth === 0) return at
        break
      default:
        break
    }
  }
  return text.length
}

/** Where the text that began before `at` has its closing quote. */
function endOfText(text: string, at: number): number {
  for (let end = text.indexOf('"', at); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes += 1
    if (slashes % 2 === 0) return end
  }
  return text.length
}
