import { isList, isObject } from '../evaluate/call.ts'
import { placeOf, type Situation, stepInto } from '../evaluate/selector-value.ts'
import type { JsonValue } from '../model.ts'

/** What is left of a value that was hidden or cut before it reached us. */
export type Remains =
  /** Any value at all may have stood there, nothing included. */
  | { readonly is: 'anything' }
  /** It was a text, and began so. */
  | { readonly is: 'text'; readonly start: string }

/** How a caller says which parts of a call are not what they were, such as those of a recorded call. */
export interface Unknowns {
  /** What is really known of a value found in the call; undefined when the value is what it says. Pure. */
  readonly value?: (value: JsonValue) => Remains | undefined
  /** Selectors of which nothing was recorded, such as those below `env.`. Pure. */
  readonly selector?: (selector: string) => boolean
}

export type Knowledge = { readonly is: 'value'; readonly value: JsonValue | undefined } | Remains

const anything: Remains = { is: 'anything' }

/** What a selector finds, as far as that is known. */
export function knowledgeOf(selector: string, situation: Situation, unknowns: Unknowns): Knowledge {
  if (unknowns.selector?.(selector)) return anything
  const { root, path } = placeOf(selector)
  let value = root(situation) ?? undefined
  for (let depth = 0; ; depth += 1) {
    const remains = remainsOf(value, unknowns)
    const key = path[depth]
    // Whatever a hidden text was, nothing stands below it; below anything there may be anything.
    if (remains) return remains.is === 'text' && key !== undefined ? { is: 'value', value: undefined } : remains
    if (key === undefined) break
    value = stepInto(value, key) ?? undefined
  }
  const { output } = situation
  if (selector === 'output.text' && output && holdsUnknown(output.result, unknowns)) return { is: 'text', start: '' }
  return value !== undefined && holdsUnknown(value, unknowns) ? anything : { is: 'value', value }
}

export function remainsOf(value: JsonValue | undefined, unknowns: Unknowns): Remains | undefined {
  return value === undefined ? undefined : unknowns.value?.(value)
}

/** Whether anything inside a value is hidden. With a list of its own: values may be nested deeper than the stack. */
function holdsUnknown(value: JsonValue, unknowns: Unknowns): boolean {
  if (!unknowns.value || typeof value !== 'object' || value === null) return false
  const open: JsonValue[] = [value]
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (one !== value && unknowns.value(one)) return true
    if (isList(one)) for (const item of one) open.push(item)
    else if (isObject(one)) for (const item of Object.values(one)) open.push(item)
  }
  return false
}
