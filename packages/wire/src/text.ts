import { Type } from './type.ts'

type Lengths = { readonly min?: number; readonly max: number }

/** Control characters, and those that turn or override the direction of what is written after them (UAX #9). */
const unseen = '\\u0000-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069'

/** One line that people read. */
export function lineText({ min = 1, max }: Lengths) {
  return Type.String({
    minLength: min,
    maxLength: max,
    title: 'a text without control and direction characters',
    pattern: `^[^${unseen}]*$`,
  })
}

/** A name or a label: printed beside anything, also where somebody may forget to escape it, so it holds no markup either. */
export function nameText({ min = 1, max }: Lengths) {
  return Type.String({
    minLength: min,
    maxLength: max,
    title: 'a text without < >, control and direction characters',
    pattern: `^[^<>${unseen}]*$`,
  })
}
