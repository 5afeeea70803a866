import { asJson, isList } from '../evaluate/call.ts'
import { isSensitiveKey, redacted, redactValue } from '../evaluate/redact.ts'
import { type JsonValue, type Operator, operators } from '../model.ts'
import type { Actual, Condition, ConditionOutcome } from './explanation.ts'

const textMax = 200
const jsonMax = 1_000

/** A value as an explanation may show it: what its path or its shape calls a secret is hidden, what is long is cut. */
export function shownValue(selector: string, value: JsonValue): JsonValue {
  if (selector.split('.').some((key) => isSensitiveKey(key))) return redacted
  const clean = redactValue(value)
  if (typeof clean === 'string') return cut(clean, textMax)
  if (typeof clean !== 'object') return clean
  const text = asJson(clean)
  return text.length <= jsonMax ? clean : cut(text, textMax)
}

export function cut(text: string, max: number): string {
  if (text.length <= max) return text
  return `${Array.from(text.slice(0, max))
    .slice(0, max - 3)
    .join('')}...`
}

const phrases: Readonly<Record<Exclude<Operator, 'exists'>, readonly [string, string]>> = {
  equals: ['equals', 'does not equal'],
  not_equals: ['does not equal', 'equals'],
  in: ['is one of', 'is none of'],
  not_in: ['is none of', 'is one of'],
  contains: ['contains', 'does not contain'],
  contains_any: ['contains one of', 'contains none of'],
  starts_with: ['starts with', 'does not start with'],
  ends_with: ['ends with', 'does not end with'],
  matches: ['matches', 'does not match'],
  matches_any: ['matches one of', 'matches none of'],
  gt: ['is greater than', 'is not greater than'],
  gte: ['is at least', 'is less than'],
  lt: ['is less than', 'is not less than'],
  lte: ['is at most', 'is greater than'],
}

/** One test in words: what was found, and whether that is what the rule asks for. */
export function testInWords(
  test: { readonly selector: string; readonly operator: string; readonly operand: JsonValue },
  actual: Actual,
  outcome: ConditionOutcome,
): string {
  const { selector, operator, operand } = test
  switch (actual.is) {
    case 'missing':
      return `${selector} is missing`
    case 'failure':
      return `${selector} could not be read: ${actual.message}`
    case 'unknown':
      return `${selector} is hidden, so nobody can say whether it ${askedFor(operator, operand)}`
    case 'value':
      break
  }
  const found = `${selector} is ${quoted(actual.value)}`
  if (operator === 'exists') return found
  if (outcome === 'error') return `${found}, and ${failureOf(operator, actual.value)}`
  const builtIn = operators.find((one) => one === operator)
  const [yes, no] =
    builtIn === undefined || builtIn === 'exists' ? [`passes ${operator}`, `fails ${operator}`] : phrases[builtIn]
  // "x is 1, which equals 1" says nothing more.
  if (operator === 'equals' && outcome === 'held') return found
  return `${found}, which ${outcome === 'held' ? yes : no} ${operandInWords(operand)}`
}

function askedFor(operator: string, operand: JsonValue): string {
  const builtIn = operators.find((one) => one === operator)
  if (builtIn === 'exists') return operand === true ? 'was there' : 'was missing'
  return `${builtIn === undefined ? `passes ${operator}` : phrases[builtIn][0]} ${operandInWords(operand)}`
}

function failureOf(operator: string, value: JsonValue): string {
  if (['gt', 'gte', 'lt', 'lte'].includes(operator)) return `${operator} compares numbers only`
  if (typeof value === 'string') return `${operator} could not be answered within its budget`
  return `${operator} looks at text only`
}

function operandInWords(operand: JsonValue): string {
  if (!isList(operand)) return cut(asJson(operand), textMax)
  const shown = operand.slice(0, 5).map((one) => cut(asJson(one), 80))
  const more = operand.length > shown.length ? ` and ${operand.length - shown.length} more` : ''
  return `${shown.join(', ')}${more}`
}

export function quoted(value: JsonValue): string {
  return cut(asJson(value), textMax + 2)
}

/** The tests that settled a condition, in words; at most a few. */
export function reasonsOf(condition: Condition): string {
  const tests = decisiveTests(condition)
  const shown = [...new Set(tests.map(({ words }) => words))]
  const more = shown.length > reasonsMax ? `; and ${shown.length - reasonsMax} more` : ''
  return `${shown.slice(0, reasonsMax).join('; ')}${more}`
}

const reasonsMax = 4

type TestCondition = Extract<Condition, { is: 'test' }>

/** Which tests made the outcome: all that held of an `all`, the one that failed it; the one that satisfied an `any`. */
function decisiveTests(condition: Condition): readonly TestCondition[] {
  switch (condition.is) {
    case 'test':
      return [condition]
    case 'not':
      return decisiveTests(condition.of)
    case 'all':
    case 'any': {
      const asked = condition.of.filter((one) => !one.isSkipped || condition.isSkipped)
      const goesOn = condition.is === 'all' ? 'held' : 'not_held'
      if (condition.outcome === goesOn) return condition.of.flatMap(decisiveTests)
      const ending = asked.filter(({ outcome }) => outcome !== goesOn)
      const open = ending.filter(({ outcome }) => outcome === 'unknown')
      const chosen = condition.outcome === 'unknown' ? open : ending.slice(0, 1)
      return (chosen.length > 0 ? chosen : asked).flatMap(decisiveTests)
    }
  }
}
