import { quote, step } from '../diagnostic.ts'
import { type Expression, type JsonValue, type Operator, operators } from '../model.ts'
import { checkPattern } from '../pattern/check-pattern.ts'
import { asMap, child, items, type MapPlace, nearest, type Place, type Reading, text, toJson } from './fields.ts'
import { checkSelector } from './selector.ts'
import type { Entry } from './tree.ts'

export type Stage = 'pre' | 'post'

/** `all`, `any`, `not` or one test; undefined after a complaint. */
export function readExpression(place: Place, stage: Stage, reading: Reading, depth = 0): Expression | undefined {
  const map = asMap(place)
  if (!map)
    return complain(place, 'expr.shape', 'An expression must be a mapping: all, any, not, or one selector.', reading)
  if (depth > reading.limits.expressionDepth) {
    const message = `Expressions are nested more than ${reading.limits.expressionDepth} deep: this depth is not accepted.`
    return complain(place, 'expr.depth', message, reading)
  }
  const [first, second] = map.node.entries.values()
  if (!first) return complain(place, 'expr.shape', 'An expression must not be empty.', reading)
  if (second) {
    const keys = [...map.node.entries.keys()].slice(0, 5).map(quote).join(', ')
    const hint = 'Put them in a list under `all:` or `any:`.'
    return complain(place, 'expr.shape', `An expression has exactly one key; this one has ${keys}.`, reading, hint)
  }
  const key = String(first.key.value)
  const line = reading.lineOf(first.key.span.start)
  const operand = child(map, key)
  if (!operand) return undefined
  if (key === 'all' || key === 'any') {
    const of = readList(operand, key, stage, reading, depth)
    return of && { is: key, of, line }
  }
  if (key === 'not') {
    if (operand.node.is !== 'map')
      return complain(operand, 'expr.not', 'The operand of not must be an expression.', reading)
    const of = readExpression(operand, stage, reading, depth + 1)
    return of && { is: 'not', of, line }
  }
  return readTest(map, first, operand, stage, reading)
}

function readList(
  place: Place,
  key: 'all' | 'any',
  stage: Stage,
  reading: Reading,
  depth: number,
): Expression[] | undefined {
  if (place.node.is !== 'list' || place.node.items.length === 0) {
    return complain(place, `expr.${key}`, `${key} must be a list of at least one expression.`, reading)
  }
  const of = items(place.node, place.path).map((item) => readExpression(item, stage, reading, depth + 1))
  return of.every((one) => one !== undefined) ? of : undefined
}

function readTest(map: MapPlace, entry: Entry, place: Place, stage: Stage, reading: Reading): Expression | undefined {
  const selector = String(entry.key.value)
  const tests = asMap(place)
  if (!tests) {
    const message = `The selector ${quote(selector)} must hold one operator and its operand.`
    return complain(place, 'expr.shape', message, reading, `For example \`${selector}: {equals: value}\`.`)
  }
  if (!checkSelector(selector, stage, { at: entry.key.span, path: step(map.path, selector) }, reading)) return undefined
  const [first, second] = tests.node.entries.values()
  if (!first || second) {
    const message = `The selector ${quote(selector)} must hold exactly one operator.`
    return complain(place, 'expr.shape', message, reading, 'Write one selector per operator, in a list under `all:`.')
  }
  const operator = String(first.key.value)
  const operandPlace = child(tests, operator)
  if (!operandPlace) return undefined
  const builtIn = operators.find((one) => one === operator)
  if (builtIn === undefined && !reading.customOperators.has(operator)) {
    const near = nearest(operator, operators)
    reading.findings.error({
      code: 'expr.operator',
      at: first.key.span,
      path: operandPlace.path,
      message: `Unknown operator ${quote(operator)}.`,
      hint: near ? `Did you mean \`${near}\`?` : `Operators are: ${operators.join(', ')}.`,
    })
    return undefined
  }
  const operand = toJson(operandPlace.node)
  if (builtIn !== undefined && !checkOperand(builtIn, operand, operandPlace, reading)) return undefined
  return {
    is: 'test',
    selector,
    operator,
    operand,
    line: reading.lineOf(entry.key.span.start),
  }
}

function checkOperand(operator: Operator, operand: JsonValue, place: Place, reading: Reading): boolean {
  const refuse = (must: string): boolean => {
    complain(place, 'expr.operand', `The operand of ${operator} must be ${must}.`, reading)
    return false
  }
  switch (operator) {
    case 'exists':
      return typeof operand === 'boolean' || refuse('true or false')
    case 'equals':
    case 'not_equals':
      return true
    case 'in':
    case 'not_in':
      return (Array.isArray(operand) && operand.length > 0) || refuse('a non-empty list')
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
      return typeof operand === 'number' || refuse('a number')
    case 'contains':
    case 'starts_with':
    case 'ends_with':
      if (typeof operand !== 'string') return refuse('a string')
      if (operand === '') warnEmpty(operator, place, reading)
      return true
    case 'contains_any':
      if (!isStrings(operand)) return refuse('a non-empty list of strings')
      if (operand.includes('')) warnEmpty(operator, place, reading)
      return true
    case 'matches':
      if (typeof operand !== 'string' || operand === '') return refuse('a non-empty regular expression')
      return checkPattern(operand, place, reading)
    case 'matches_any':
      if (!isStrings(operand) || operand.includes(''))
        return refuse('a non-empty list of non-empty regular expressions')
      return checkPatterns(place, reading)
  }
}

function checkPatterns(place: Place, reading: Reading): boolean {
  if (place.node.is !== 'list') return false
  const checked = items(place.node, place.path).map((item) => checkPattern(text(item) ?? '', item, reading))
  return checked.every(Boolean)
}

function isStrings(value: JsonValue): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string')
}

function warnEmpty(operator: string, place: Place, reading: Reading): void {
  reading.findings.warn({
    code: 'expr.empty_text',
    at: place.at,
    path: place.path,
    message: `An empty string under ${operator} is found in every string; some SDKs refuse it.`,
    hint: 'Use `exists: true` if that is meant.',
  })
}

function complain(place: Place, code: string, message: string, reading: Reading, hint?: string): undefined {
  reading.findings.error({
    code,
    at: place.at,
    path: place.path,
    message,
    ...(hint ? { hint } : {}),
  })
}
