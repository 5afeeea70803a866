import { type Expression, type JsonValue, type Operator, operators } from '../model.ts'
import { requiredLiterals } from '../pattern/required-literals.ts'
import { isList } from './call.ts'
import { buildAutomaton, type LiteralAutomaton } from './literal-automaton.ts'
import { compileSelector, type Read, type Situation } from './selector-value.ts'

/** Which rules could fire on a call: a superset, found without asking the others. */
export interface RuleIndex {
  /** Calls `visit` with each in document order, and with `context`, until it says stop. */
  readonly visit: <Context>(
    situation: Situation,
    visit: (rule: number, context: Context) => boolean,
    context: Context,
  ) => void
}

type Test = Extract<Expression, { is: 'test' }>

const smallRules = 6

/** Undefined when there are so few that asking each is quicker. */
export function buildIndex(expressions: readonly Expression[]): RuleIndex | undefined {
  const count = expressions.length
  if (count <= smallRules) return undefined
  const words = (count + 31) >>> 5
  const always = new Uint32Array(words)
  const slots = new Map<string, Draft>()
  for (const [rule, expression] of expressions.entries()) {
    const tests = triggers(expression)
    if (!tests) {
      mark(always, rule)
      continue
    }
    for (const test of tests) addTest(slotFor(slots, test.selector), test, rule)
  }
  const ready = [...slots].map(([selector, draft]) => finish(selector, draft, words))
  const hasAlways = always.some((bits) => bits !== 0)
  // One set for all calls: nothing is allocated by the number of rules. A custom operator that asks the engine about
  // another call while it answers for this one would spoil it; that inner call asks each rule instead.
  const candidates = new Uint32Array(words)
  let isTaken = false
  return {
    visit: (situation, visit, context) => {
      if (isTaken) {
        for (let rule = 0; rule < count; rule += 1) if (visit(rule, context)) return
        return
      }
      isTaken = true
      try {
        if (hasAlways) candidates.set(always)
        else candidates.fill(0)
        lookUp(ready, situation, candidates)
        for (let word = 0; word < words; word += 1) {
          let bits = candidates[word] ?? 0
          while (bits !== 0) {
            const rule = word * 32 + 31 - Math.clz32(bits & -bits)
            if (rule < count && visit(rule, context)) return
            bits &= bits - 1
          }
        }
      } finally {
        isTaken = false
      }
    },
  }
}

function lookUp(slots: readonly Slot[], situation: Situation, candidates: Uint32Array): void {
  try {
    for (const slot of slots) slot(situation, candidates)
  } catch {
    // A custom selector threw. Each rule is asked, and those that read it fail by themselves, which makes them fire.
    candidates.fill(0xffffffff)
  }
}

/** In document order. With an index only those that could fire; the others are answered by it, and count as evaluated. */
export function visitRules<Context>(
  count: number,
  index: RuleIndex | undefined,
  situation: Situation,
  visit: (number: number, context: Context) => boolean,
  context: Context,
): void {
  if (index) {
    index.visit(situation, visit, context)
    return
  }
  for (let number = 0; number < count; number += 1) if (visit(number, context)) return
}

/**
 * Tests of which at least one must not be "no" when the expression fires or fails; undefined when there is no such list.
 * A test behind one that may fail is no condition: the failure alone makes the rule fire.
 */
function triggers(expression: Expression): readonly Test[] | undefined {
  switch (expression.is) {
    case 'test':
      return canTrigger(expression) ? [expression] : undefined
    case 'not':
      return undefined
    case 'any': {
      const each = expression.of.map(triggers)
      return each.every((one) => one !== undefined) ? each.flat() : undefined
    }
    case 'all': {
      let best: readonly Test[] | undefined
      for (const one of expression.of) {
        const tests = triggers(one)
        if (tests && (!best || weightOf(tests) < weightOf(best))) best = tests
        if (mayFail(one)) break
      }
      return best
    }
  }
}

/** A missing value must make the test "no". It does, but for `exists: false` and for operators nobody provided. */
function canTrigger({ operator, operand }: Test): boolean {
  return operators.some((one) => one === operator) && (operator !== 'exists' || operand === true)
}

function mayFail(expression: Expression): boolean {
  switch (expression.is) {
    case 'test':
      return !['exists', 'equals', 'not_equals', 'in', 'not_in'].includes(expression.operator)
    case 'not':
      return mayFail(expression.of)
    case 'all':
    case 'any':
      return expression.of.some(mayFail)
  }
}

/** How often a list of tests is likely to hold: equality least, a mere presence most. */
function weightOf(tests: readonly Test[]): number {
  return tests.reduce((sum, test) => sum + weights[kindOf(test)], 0)
}

type Kind = 'equal' | 'text' | 'folded' | 'present'
const weights: Readonly<Record<Kind, number>> = { equal: 1, text: 2, folded: 3, present: 100 }

interface Literals {
  readonly kind: Kind
  readonly values: readonly JsonValue[]
}

function kindOf(test: Test): Kind {
  return literalsOf(test).kind
}

function literalsOf({ operator, operand }: Test): Literals {
  const present: Literals = { kind: 'present', values: [] }
  const builtIn: Operator | undefined = operators.find((one) => one === operator)
  switch (builtIn) {
    case 'equals':
      return typeof operand === 'object' ? present : { kind: 'equal', values: [operand] }
    case 'in':
      return isList(operand) && operand.every((one) => typeof one !== 'object')
        ? { kind: 'equal', values: operand }
        : present
    case 'contains':
    case 'starts_with':
    case 'ends_with':
      return operand === '' ? present : { kind: 'text', values: [operand] }
    case 'contains_any':
      return isList(operand) && !operand.includes('') ? { kind: 'text', values: operand } : present
    case 'matches':
    case 'matches_any':
      return patternLiterals(isList(operand) ? operand : [operand])
    default:
      return present
  }
}

const remembered = new WeakMap<readonly JsonValue[], Literals>()

function patternLiterals(patterns: readonly JsonValue[]): Literals {
  const known = remembered.get(patterns)
  if (known) return known
  const each = patterns.map((pattern) => requiredLiterals(String(pattern)))
  const isKnown = each.every((one) => one !== undefined)
  const ignoresCase = each.some((one) => one?.ignoresCase)
  const values = each.flatMap((one) => (one?.literals ?? []).map((text) => (ignoresCase ? text.toLowerCase() : text)))
  const isAscii = values.every((text) => /^[\0-\u007F]+$/.test(text))
  const made: Literals =
    !isKnown || (ignoresCase && !isAscii)
      ? { kind: 'present', values: [] }
      : { kind: ignoresCase ? 'folded' : 'text', values }
  remembered.set(patterns, made)
  return made
}

interface Draft {
  readonly equal: Map<JsonValue, number[]>
  readonly text: Map<string, number[]>
  readonly folded: Map<string, number[]>
  /** Rules that must be asked whenever the value is there. */
  readonly present: number[]
  /** Rules that fail, and so fire, when the value is no text. */
  readonly failing: number[]
}

function slotFor(slots: Map<string, Draft>, selector: string): Draft {
  const known = slots.get(selector)
  if (known) return known
  const made: Draft = { equal: new Map(), text: new Map(), folded: new Map(), present: [], failing: [] }
  slots.set(selector, made)
  return made
}

function addTest(draft: Draft, test: Test, rule: number): void {
  const { kind, values } = literalsOf(test)
  if (kind === 'present') {
    draft.present.push(rule)
    return
  }
  if (kind !== 'equal') draft.failing.push(rule)
  for (const value of values) {
    const postings: Map<JsonValue, number[]> = draft[kind]
    const list = postings.get(value)
    if (list) list.push(rule)
    else postings.set(value, [rule])
  }
}

type Slot = (situation: Situation, candidates: Uint32Array) => void

function finish(selector: string, draft: Draft, words: number): Slot {
  const read: Read = compileSelector(selector)
  const present = draft.present.length > 0 ? bits(draft.present, words) : undefined
  const failing = draft.failing.length > 0 ? bits(draft.failing, words) : undefined
  const folded = draft.folded.size > 0 ? bits([...draft.folded.values()].flat(), words) : undefined
  const equal = draft.equal.size > 0 ? draft.equal : undefined
  const scan = scanner([...draft.text, ...draft.folded])
  return (situation, candidates) => {
    const value = read(situation)
    if (value === undefined) return
    if (present) add(candidates, present)
    const rules = equal?.get(value)
    if (rules) for (const rule of rules) mark(candidates, rule)
    if (typeof value !== 'string') {
      if (failing) add(candidates, failing)
      return
    }
    // Beyond ASCII one letter may have several other cases; then all rules that ignore case are asked.
    if (scan && !scan(value, candidates) && folded) add(candidates, folded)
  }
}

/** Marks the rules of every literal that occurs; answers whether the text is ASCII. */
function scanner(
  postings: readonly (readonly [string, readonly number[]])[],
): ((text: string, candidates: Uint32Array) => boolean) | undefined {
  if (postings.length === 0) return undefined
  const rules = postings.map(([, list]) => Int32Array.from(list))
  const automaton: LiteralAutomaton = buildAutomaton(postings.map(([literal]) => literal))
  const found = (literal: number, candidates: Uint32Array): void => {
    const list = rules[literal]
    if (list) for (const rule of list) mark(candidates, rule)
  }
  return (text, candidates) => automaton.scan(text, found, candidates)
}

function bits(rules: readonly number[], words: number): Uint32Array {
  const made = new Uint32Array(words)
  for (const rule of rules) mark(made, rule)
  return made
}

function mark(set: Uint32Array, rule: number): void {
  set[rule >>> 5] = (set[rule >>> 5] ?? 0) | (1 << (rule & 31))
}

function add(set: Uint32Array, other: Uint32Array): void {
  for (let word = 0; word < set.length; word += 1) set[word] = (set[word] ?? 0) | (other[word] ?? 0)
}
