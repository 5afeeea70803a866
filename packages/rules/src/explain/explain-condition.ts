import type { CustomOperators } from '../evaluate/expression-test.ts'
import type { Situation } from '../evaluate/selector-value.ts'
import type { Expression } from '../model.ts'
import type { Actual, Condition, ConditionOutcome } from './explanation.ts'
import { cut, shownValue, testInWords } from './in-words.ts'
import {
  bits,
  certainOutcome,
  combine,
  knowledgeOrFailure,
  negate,
  type Possible,
  type Test,
  testOutcomes,
} from './possible.ts'
import type { Unknowns } from './unknowns.ts'

export interface ExplainedCondition {
  readonly condition: Condition
  readonly possible: Possible
}

export interface Explaining {
  readonly situation: Situation
  readonly unknowns: Unknowns
  readonly custom: CustomOperators
}

/** Every part with its outcome, also parts the engine skips because the answer is settled before them. */
export function explainCondition(
  expression: Expression,
  explaining: Explaining,
  isSkipped = false,
): ExplainedCondition {
  switch (expression.is) {
    case 'all':
    case 'any':
      return explainSeveral(expression, explaining, isSkipped)
    case 'not': {
      const inner = explainCondition(expression.of, explaining, isSkipped)
      const possible = negate(inner.possible)
      const { line } = expression
      return { condition: { is: 'not', outcome: outcomeOf(possible), isSkipped, line, of: inner.condition }, possible }
    }
    case 'test':
      return explainTest(expression, explaining, isSkipped)
  }
}

function explainSeveral(
  { is, of, line }: Extract<Expression, { is: 'all' | 'any' }>,
  explaining: Explaining,
  isSkipped: boolean,
): ExplainedCondition {
  const goesOn = is === 'all' ? bits.yes : bits.no
  const parts: ExplainedCondition[] = []
  let isSettled = isSkipped
  for (const one of of) {
    const part = explainCondition(one, explaining, isSettled)
    parts.push(part)
    isSettled ||= (part.possible & goesOn) === 0
  }
  const possible = combine(
    is,
    parts.map((part) => () => part.possible),
  )
  const conditions = parts.map(({ condition }) => condition)
  return { condition: { is, outcome: outcomeOf(possible), isSkipped, line, of: conditions }, possible }
}

function explainTest(test: Test, { situation, unknowns, custom }: Explaining, isSkipped: boolean): ExplainedCondition {
  const { selector, operator, operand, line } = test
  const knowledge = knowledgeOrFailure(selector, situation, unknowns)
  const possible = knowledge.is === 'failure' ? bits.error : testOutcomes(test, knowledge, custom)
  const outcome = outcomeOf(possible)
  const actual = actualOf(selector, knowledge)
  const words = testInWords(test, actual, outcome)
  return { condition: { is: 'test', outcome, isSkipped, line, selector, operator, operand, actual, words }, possible }
}

function actualOf(selector: string, knowledge: ReturnType<typeof knowledgeOrFailure>): Actual {
  switch (knowledge.is) {
    case 'failure':
      return { is: 'failure', message: reasonOf(knowledge.cause) }
    case 'value': {
      const { value } = knowledge
      return value === undefined ? { is: 'missing' } : { is: 'value', value: shownValue(selector, value) }
    }
    case 'text':
      return { is: 'unknown', start: String(shownValue(selector, knowledge.start)) }
    case 'anything':
      return { is: 'unknown' }
  }
}

function reasonOf(cause: unknown): string {
  return cut(cause instanceof Error ? cause.message : String(cause), 200)
}

const words = { yes: 'held', no: 'not_held', error: 'error' } as const

function outcomeOf(possible: Possible): ConditionOutcome {
  const certain = certainOutcome(possible)
  return certain === undefined ? 'unknown' : words[certain]
}
