import type { JsonValue } from '../model.ts'
import { asJson } from './call.ts'
import { isSensitiveKey, looksLikeSecret, redacted } from './redact.ts'
import { compileSelector, type Situation } from './selector-value.ts'

const valueMax = 200
const messageMax = 500

/** A rule's message for one call. Placeholders are selectors; what is missing stays as it was written. */
export type Message = (situation: Situation) => string

export function compileMessage(template: string, mayReadOutput: boolean): Message {
  if (!template.includes('{')) return () => shorten(template, messageMax)
  const parts = [...template.matchAll(/\{([^}]+)\}/g)].map((found) => {
    const selector = found[1] ?? ''
    const isKnown = mayReadOutput || !/^(?:output|result)\./.test(selector)
    return { start: found.index, whole: found[0], selector, read: isKnown ? compileSelector(selector) : undefined }
  })
  if (parts.length === 0) return () => shorten(template, messageMax)
  return (situation) => {
    let text = ''
    let from = 0
    for (const { start, whole, selector, read } of parts) {
      const value = read?.(situation)
      text += template.slice(from, start)
      text += value === undefined ? whole : shown(selector, value)
      from = start + whole.length
    }
    return shorten(text + template.slice(from), messageMax)
  }
}

function shown(selector: string, value: JsonValue): string {
  if (isSensitiveKey(selector.slice(selector.lastIndexOf('.') + 1))) return redacted
  const text = typeof value === 'string' ? value : asJson(value)
  return looksLikeSecret(text) ? redacted : shorten(text, valueMax)
}

/** Counted and cut by code points, so that no character is halved. */
function shorten(text: string, max: number): string {
  if (text.length <= max) return text
  const points = Array.from(text.slice(0, 2 * max + 2))
  return points.length <= max ? text : `${points.slice(0, max - 3).join('')}...`
}
