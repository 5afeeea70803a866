import { RE2JS } from 're2js'
import { quote } from '../diagnostic.ts'
import { characters, type Place, type Reading } from '../read/fields.ts'

/** Constructs that cannot run in linear time. They load with a warning, as any pattern Python accepts does. */
const costly = /\(\?(?:=|!|<=|<!|>|P=|\()|\\[1-9]|[*+?}]\+/

export function checkPattern(pattern: string, place: Place, reading: Reading): boolean {
  const { findings, limits } = reading
  const { at, path } = place
  if (characters(pattern) > limits.patternCharacters) {
    const message = `The regex has ${characters(pattern)} characters, at most ${limits.patternCharacters} are accepted.`
    findings.error({
      code: 'expr.regex',
      at,
      path,
      message,
      hint: 'Split it into several, under matches_any.',
    })
    return false
  }
  if (costly.test(pattern)) {
    findings.warn({
      code: 'expr.regex_costly',
      at,
      path,
      message: `The regex ${quote(pattern)} uses look-around or a back-reference: it runs with a step budget.`,
      hint: 'A call on which the budget runs out is treated as if the rule fired. Prefer a pattern without them.',
    })
    return true
  }
  try {
    RE2JS.compile(pattern)
    return true
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    findings.error({
      code: 'expr.regex',
      at,
      path,
      message: `The regex ${quote(pattern)} does not compile: ${reason}.`,
    })
    return false
  }
}
