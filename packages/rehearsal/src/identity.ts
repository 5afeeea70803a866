/** What of a payload decides, beside the words every event has. */
export interface Identity {
  readonly args: string
  readonly principal: string
  readonly source: string
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
  const whole = { args: payload, principal: '', source: '' }
  const at = payload.indexOf(argsLabel)
  // Behind a backslash the quote is part of a key.
  if (at < 0 || payload.charCodeAt(at - 1) === backslash) return whole
  const start = at + argsLabel.length
  const end = endOfValue(payload, start)
  // Keys are in order, so what belongs to the same object as the arguments stands before them, and little behind.
  const head = payload.slice(0, at)
  const tail = payload.slice(end)
  if (tail.includes(argsLabel) || tail.includes(principalLabel)) return whole
  const principal = onlyValue(head, principalLabel)
  const source = wantsSource ? onlyValue(head, sourceLabel) : ''
  if (principal === undefined || source === undefined || (wantsSource && tail.includes(sourceLabel))) return whole
  return { args: payload.slice(start, end), principal, source }
}

/** The text of the value behind a label, empty when there is none, undefined when there may be several. */
function onlyValue(text: string, label: string): string | undefined {
  const at = text.indexOf(label)
  if (at < 0) return ''
  if (text.charCodeAt(at - 1) === backslash) return undefined
  const start = at + label.length
  const end = endOfValue(text, start)
  return text.indexOf(label, end) < 0 ? text.slice(start, end) : undefined
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
