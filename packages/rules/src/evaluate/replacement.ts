import type { Expression, JsonValue } from '../model.ts'
import { deferPattern, type Pattern } from '../pattern/pattern.ts'
import { isList, isObject } from './call.ts'
import { redacted } from './redact.ts'

/** The result with what the rule looked for replaced; the very same value when nothing was. */
export type Replacement = (result: JsonValue) => JsonValue

/** Every pattern of the rule that reads the result, also below `not` and in branches that did not hold. */
export function compileReplacement(when: Expression): Replacement {
  const tests = outputTests(when)
  const patterns = tests.flatMap(({ operator, operand }) => {
    if (operator === 'matches' && typeof operand === 'string') return [deferPattern(operand)]
    if (operator !== 'matches_any' || !isList(operand)) return []
    return operand.filter((one) => typeof one === 'string').map(deferPattern)
  })
  if (patterns.length > 0) return (result) => replaceStrings(result, (text) => replaceAll(text, patterns))
  const paths = tests.flatMap(({ selector }) => (selector === 'output.text' ? [] : [selector.split('.').slice(1)]))
  // A rule that names parts of the result loses those; any other hides every text there is.
  const namesParts = paths.length > 0 && paths.length === tests.length
  if (!namesParts) return (result) => replaceStrings(result, () => redacted)
  return (result) => paths.reduce((value, path) => replaceAt(value, path), result)
}

type Test = Extract<Expression, { is: 'test' }>

function outputTests(expression: Expression): readonly Test[] {
  switch (expression.is) {
    case 'all':
    case 'any':
      return expression.of.flatMap(outputTests)
    case 'not':
      return outputTests(expression.of)
    case 'test':
      return /^(?:output|result)\./.test(expression.selector) ? [expression] : []
  }
}

function replaceAll(text: string, patterns: readonly Pattern[]): string {
  let replaced = text
  for (const pattern of patterns) {
    const made = pattern.replace(replaced, redacted)
    // The budget ran out: what cannot be searched is not shown.
    if (made === undefined) return redacted
    replaced = made
  }
  return replaced
}

const depthMax = 200

function replaceStrings(value: JsonValue, replace: (text: string) => string, depth = 0): JsonValue {
  if (typeof value === 'string') return replace(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= depthMax) return redacted
  if (isList(value)) return value.map((one) => replaceStrings(one, replace, depth + 1))
  const made: Record<string, JsonValue> = Object.create(null)
  for (const [key, one] of Object.entries(value)) made[key] = replaceStrings(one, replace, depth + 1)
  return made
}

function replaceAt(value: JsonValue, path: readonly string[]): JsonValue {
  const [key, ...rest] = path
  if (key === undefined) return replaceStrings(value, () => redacted)
  if (!isObject(value) || !Object.hasOwn(value, key)) return value
  const made: Record<string, JsonValue> = Object.assign(Object.create(null), value)
  made[key] = replaceAt(value[key] ?? null, rest)
  return made
}
