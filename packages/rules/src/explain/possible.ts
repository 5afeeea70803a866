import { isList } from '../evaluate/call.ts'
import { type CustomOperators, compileTest } from '../evaluate/expression-test.ts'
import type { OperatorTest, Outcome } from '../evaluate/operator-test.ts'
import type { Situation } from '../evaluate/selector-value.ts'
import { type Expression, type JsonValue, type Operator, operators } from '../model.ts'
import { mayExhaust } from '../pattern/pattern.ts'
import { type Knowledge, knowledgeOf, type Remains, type Unknowns } from './unknowns.ts'

/** A set of outcomes, as bits: what a condition may come to, given what is known. Exactly one when all is known. */
export type Possible = number

export const bits: Readonly<Record<Outcome, Possible>> = { yes: 1, no: 2, error: 4 }
const either = bits.yes | bits.no
const any = either | bits.error

/** The only outcome, or undefined when there are several. */
export function certainOutcome(possible: Possible): Outcome | undefined {
  if (possible === bits.yes) return 'yes'
  if (possible === bits.no) return 'no'
  return possible === bits.error ? 'error' : undefined
}

export type Test = Extract<Expression, { is: 'test' }>

/** As `compileExpression` evaluates, in the same order, for every value the unknown ones may have had. */
export function possibleOutcomes(
  expression: Expression,
  situation: Situation,
  unknowns: Unknowns,
  custom: CustomOperators,
): Possible {
  switch (expression.is) {
    case 'all':
    case 'any': {
      const each = expression.of.map((one) => () => possibleOutcomes(one, situation, unknowns, custom))
      return combine(expression.is, each)
    }
    case 'not':
      return negate(possibleOutcomes(expression.of, situation, unknowns, custom))
    case 'test': {
      const knowledge = knowledgeOrFailure(expression.selector, situation, unknowns)
      return knowledge.is === 'failure' ? bits.error : testOutcomes(expression, knowledge, custom)
    }
  }
}

/** A custom selector that throws ends the search as an error does. */
export function knowledgeOrFailure(
  selector: string,
  situation: Situation,
  unknowns: Unknowns,
): Knowledge | { readonly is: 'failure'; readonly cause: unknown } {
  try {
    return knowledgeOf(selector, situation, unknowns)
  } catch (cause) {
    return { is: 'failure', cause }
  }
}

/** Left to right: whatever does not let the search go on ends it. Later ones are not asked once nothing can reach them. */
export function combine(is: 'all' | 'any', each: readonly (() => Possible)[]): Possible {
  const goesOn = is === 'all' ? bits.yes : bits.no
  let ended = 0
  for (const one of each) {
    const possible = one()
    ended |= possible & ~goesOn
    if ((possible & goesOn) === 0) return ended
  }
  return ended | goesOn
}

export function negate(possible: Possible): Possible {
  const yes = possible & bits.no ? bits.yes : 0
  const no = possible & bits.yes ? bits.no : 0
  return yes | no | (possible & bits.error)
}

export function testOutcomes(test: Test, knowledge: Knowledge, custom: CustomOperators): Possible {
  if (knowledge.is === 'value') return bits[testFor(test, custom)(knowledge.value)]
  const builtIn = operators.find((one) => one === test.operator)
  return builtIn === undefined ? any : remainsOutcomes(builtIn, test, knowledge)
}

/** Patterns are compiled once for each test of a model, not once for each call that is explained. */
const compiled = new WeakMap<Test, OperatorTest>()

function testFor(test: Test, custom: CustomOperators): OperatorTest {
  if (Object.hasOwn(custom, test.operator)) return compileTest(test, custom)
  const known = compiled.get(test)
  if (known) return known
  const made = compileTest(test, {})
  compiled.set(test, made)
  return made
}

function remainsOutcomes(operator: Operator, test: Test, remains: Remains): Possible {
  const { operand } = test
  switch (operator) {
    case 'exists':
      return remains.is === 'anything' ? either : holds(operand === true)
    case 'equals':
    case 'in':
      return mayBeOneOf(operand, remains) ? either : bits.no
    case 'not_equals':
    case 'not_in':
      return mayBeOneOf(operand, remains) ? either : bits.yes
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return remains.is === 'anything' ? any : bits.error
    case 'matches':
    case 'matches_any':
      return remains.is === 'anything' || patternsMayExhaust(test) ? any : either
    case 'contains':
    case 'contains_any':
    case 'starts_with':
    case 'ends_with':
      return remains.is === 'anything' ? any : textOutcomes(operator, operand, remains.start)
  }
}

const exhaustible = new WeakMap<Test, boolean>()

function patternsMayExhaust(test: Test): boolean {
  const known = exhaustible.get(test)
  if (known !== undefined) return known
  const patterns = isList(test.operand) ? test.operand : [test.operand]
  const made = patterns.some((pattern) => mayExhaust(String(pattern)))
  exhaustible.set(test, made)
  return made
}

function textOutcomes(
  operator: 'contains' | 'contains_any' | 'starts_with' | 'ends_with',
  operand: JsonValue,
  start: string,
): Possible {
  const parts = isList(operand) ? operand.map(String) : [String(operand)]
  if (parts.includes('')) return bits.yes
  switch (operator) {
    case 'contains':
    case 'contains_any':
      return parts.some((part) => start.includes(part)) ? bits.yes : either
    case 'starts_with':
      if (parts.some((part) => start.startsWith(part))) return bits.yes
      return parts.some((part) => part.startsWith(start)) ? either : bits.no
    case 'ends_with':
      return either
  }
}

function mayBeOneOf(operand: JsonValue, remains: Remains): boolean {
  if (remains.is === 'anything') return true
  // `equals` with a list compares with the list, `in` with its members; a text is never a list, so asking both is safe.
  const members = isList(operand) ? operand : [operand]
  return members.some((one) => typeof one === 'string' && one.startsWith(remains.start))
}

function holds(is: boolean): Possible {
  return is ? bits.yes : bits.no
}
