import { quote } from '../diagnostic.ts'
import { characters, type Place, type Reading } from '../read/fields.ts'
import { parsePattern } from './parse-pattern.ts'
import { PatternError } from './syntax.ts'

/** Whether a pattern loads: everything Python accepts does, what cannot run in linear time with a warning. */
export function checkPattern(pattern: string, place: Place, reading: Reading): boolean {
  const { findings, limits } = reading
  const { at, path } = place
  if (pattern.length > limits.patternCharacters && characters(pattern) > limits.patternCharacters) {
    const message = `The regex has ${characters(pattern)} characters, at most ${limits.patternCharacters} are accepted.`
    findings.error({ code: 'expr.regex', at, path, message, hint: 'Split it into several, under matches_any.' })
    return false
  }
  try {
    if (parsePattern(pattern).isCostly) {
      findings.warn({
        code: 'expr.regex_costly',
        at,
        path,
        message: `The regex ${quote(pattern)} uses look-around, a back-reference or the like: it runs with a step budget.`,
        hint: 'A call on which the budget runs out is treated as if the rule fired. Prefer a pattern without them.',
      })
    }
    return true
  } catch (cause) {
    if (!(cause instanceof PatternError)) throw cause
    const where = `at character ${cause.offset + 1}`
    const message = `The regex ${quote(pattern)} does not compile: ${cause.message}, ${where}.`
    findings.error({ code: 'expr.regex', at, path, message, hint: 'Patterns are those of Python.' })
    return false
  }
}
