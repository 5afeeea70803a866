import type { RecordedEvent } from './recorded-call.ts'

/**
 * A text that two recorded calls share when no ruleset can tell them apart and they had the same fate: tool, environment,
 * arguments, principal, and what was decided by whom. Taken from the payload's text, since reading all of it costs more
 * than everything else. Payloads have their keys in order, so equal values have equal texts.
 */
export function callIdentity({ tool, environment, action, mode, rule, payload }: RecordedEvent): string {
  const args = valueAt(payload, '"tool_args":')
  const principal = valueAt(payload, '"principal":')
  const source = action === 'call_allowed' ? '' : valueAt(payload, '"decision_source":')
  return `${tool}\n${environment}\n${action}\n${mode}\n${rule}\n${source}\n${args}\n${principal}`
}

/**
 * The text of what stands behind a label. The label may also occur inside a text or deeper down: then more is taken than
 * needed, up to the whole payload, which only makes two calls count as different.
 */
function valueAt(payload: string, label: string): string {
  const at = payload.indexOf(label)
  if (at < 0) return ''
  // Twice: which of them is meant is not told apart here.
  if (payload.indexOf(label, at + label.length) >= 0 || isInText(payload, at)) return payload
  const start = at + label.length
  return payload.slice(start, endOfValue(payload, start))
}

/** Behind a backslash the quote is part of a text. */
function isInText(payload: string, at: number): boolean {
  return payload.charCodeAt(at - 1) === backslash
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
