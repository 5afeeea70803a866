import type { Expression } from '../model.ts'
import { operators } from '../model.ts'
import {
  type CustomOperator,
  compileCustomOperator,
  compileOperator,
  type OperatorTest,
  type Outcome,
} from './operator-test.ts'
import { compileSelector, type Situation } from './selector-value.ts'

export type ExpressionTest = (situation: Situation) => Outcome
export type CustomOperators = Readonly<Record<string, CustomOperator>>

/** Left to right with short circuit; an error ends the search as soon as it is met. */
export function compileExpression(expression: Expression, custom: CustomOperators): ExpressionTest {
  switch (expression.is) {
    case 'all': {
      const tests = expression.of.map((one) => compileExpression(one, custom))
      return (situation) => {
        for (const test of tests) {
          const outcome = test(situation)
          if (outcome !== 'yes') return outcome
        }
        return 'yes'
      }
    }
    case 'any': {
      const tests = expression.of.map((one) => compileExpression(one, custom))
      return (situation) => {
        for (const test of tests) {
          const outcome = test(situation)
          if (outcome !== 'no') return outcome
        }
        return 'no'
      }
    }
    case 'not': {
      const test = compileExpression(expression.of, custom)
      return (situation) => {
        const outcome = test(situation)
        if (outcome === 'error') return 'error'
        return outcome === 'yes' ? 'no' : 'yes'
      }
    }
    case 'test': {
      const read = compileSelector(expression.selector)
      const test = compileTest(expression, custom)
      return (situation) => test(read(situation))
    }
  }
}

/** One test alone, for its value. */
export function compileTest(expression: Extract<Expression, { is: 'test' }>, custom: CustomOperators): OperatorTest {
  const builtIn = operators.find((one) => one === expression.operator)
  if (builtIn !== undefined) return compileOperator(builtIn, expression.operand)
  const own = Object.hasOwn(custom, expression.operator) ? custom[expression.operator] : undefined
  // Announced when the document was read, but not given now: nobody knows the answer.
  return own ? compileCustomOperator(own, expression.operand) : () => 'error'
}
