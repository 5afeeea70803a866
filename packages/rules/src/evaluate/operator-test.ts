import type { JsonValue, Operator } from '../model.ts'
import { deferPattern, type Pattern } from '../pattern/pattern.ts'
import { isList, isObject } from './call.ts'

/** `error` is a policy error: at rule level it counts as fired. */
export type Outcome = 'yes' | 'no' | 'error'
export type OperatorTest = (value: JsonValue | undefined) => Outcome
export type CustomOperator = (value: JsonValue, operand: JsonValue) => boolean

/** The operand was checked when the document was read. */
export function compileOperator(operator: Operator, operand: JsonValue): OperatorTest {
  switch (operator) {
    case 'exists':
      return (value) => answer((value !== undefined) === operand)
    case 'equals':
      return present((value) => answer(isEqual(value, operand)))
    case 'not_equals':
      return present((value) => answer(!isEqual(value, operand)))
    case 'in':
      return present(memberTest(operand, true))
    case 'not_in':
      return present(memberTest(operand, false))
    case 'contains':
      return onText((text) => answer(text.includes(asText(operand))))
    case 'contains_any': {
      const parts = asTexts(operand)
      return onText((text) => answer(parts.some((part) => text.includes(part))))
    }
    case 'starts_with':
      return onText((text) => answer(text.startsWith(asText(operand))))
    case 'ends_with':
      return onText((text) => answer(text.endsWith(asText(operand))))
    case 'matches':
      return patternTest([deferPattern(asText(operand))])
    case 'matches_any':
      return patternTest(asTexts(operand).map(deferPattern))
    case 'gt':
      return onNumber((number) => number > Number(operand))
    case 'gte':
      return onNumber((number) => number >= Number(operand))
    case 'lt':
      return onNumber((number) => number < Number(operand))
    case 'lte':
      return onNumber((number) => number <= Number(operand))
  }
}

export function compileCustomOperator(operator: CustomOperator, operand: JsonValue): OperatorTest {
  return present((value) => {
    try {
      return answer(operator(value, operand))
    } catch {
      // Whatever a custom operator throws is a policy error: the rule fires rather than being passed over.
      return 'error'
    }
  })
}

function answer(holds: boolean): Outcome {
  return holds ? 'yes' : 'no'
}

function present(test: (value: JsonValue) => Outcome): OperatorTest {
  return (value) => (value === undefined ? 'no' : test(value))
}

function onText(test: (text: string) => Outcome): OperatorTest {
  return present((value) => (typeof value === 'string' ? test(value) : 'error'))
}

function onNumber(test: (number: number) => boolean): OperatorTest {
  return present((value) => (typeof value === 'number' ? answer(test(value)) : 'error'))
}

function memberTest(operand: JsonValue, whenFound: boolean): (value: JsonValue) => Outcome {
  const members = isList(operand) ? operand : []
  const plain = new Set<JsonValue>(members.filter((one) => typeof one !== 'object'))
  const others = members.filter((one) => typeof one === 'object')
  return (value) => answer((plain.has(value) || others.some((one) => isEqual(one, value))) === whenFound)
}

function patternTest(patterns: readonly Pattern[]): OperatorTest {
  return onText((text) => {
    for (const pattern of patterns) {
      const found = pattern.test(text)
      if (found === 'exhausted') return 'error'
      if (found === 'match') return 'yes'
    }
    return 'no'
  })
}

function asText(operand: JsonValue): string {
  return typeof operand === 'string' ? operand : ''
}

function asTexts(operand: JsonValue): readonly string[] {
  return isList(operand) ? operand.filter((one) => typeof one === 'string') : []
}

/** No coercion: `1` is `1.0`, but neither `"1"` nor `true`. Objects and lists are compared by what they hold. */
function isEqual(a: JsonValue, b: JsonValue): boolean {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return a === b
  // An explicit list of pairs: a call's arguments may be nested deeper than the stack.
  const pairs: (readonly [JsonValue, JsonValue])[] = [[a, b]]
  for (let pair = pairs.pop(); pair; pair = pairs.pop()) {
    const [left, right] = pair
    if (isList(left)) {
      if (!isList(right) || left.length !== right.length) return false
      for (const [index, one] of left.entries()) pairs.push([one, right[index] ?? null])
    } else if (isObject(left)) {
      if (!isObject(right)) return false
      const keys = Object.keys(left)
      if (keys.length !== Object.keys(right).length) return false
      for (const key of keys) {
        if (!Object.hasOwn(right, key)) return false
        pairs.push([left[key] ?? null, right[key] ?? null])
      }
    } else if (left !== right) return false
  }
  return true
}
