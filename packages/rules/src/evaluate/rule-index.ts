import { type Expression, type JsonValue, type Operator, operators } from '../model.ts'
import { requiredLiterals } from '../pattern/required-literals.ts'
import { isList } from './call.ts'
import { buildAutomaton, type LiteralAutomaton } from './literal-automaton.ts'
import { compileSelector, type Read, type Situation } from './selector-value.ts'

/** Which rules could fire on a call: a superset, found without asking the others. */
export interface RuleIndex {
  /** Calls `visit` in document order until it says stop. Not re-entrant: its memory is used again by the next call. */
  readonly visit: (situation: Situation, visit: (rule: number) => boolean) => void
}

type Test = Extract<Expression, { is: 'test' }>

const smallRules = 6

/** Undefined when there are so few that asking each is quicker. */
export function buildIndex(expressions: readonly Expression[]): RuleIndex | undefined {
  if (expressions.length <= smallRules) return undefined
  const words = (expressions.length + 31) >>> 5
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
  const candidates = new Uint32Array(words)
  return {
    visit: (situation, visit) => {
      candidates.set(always)
      try {
        for (const slot of ready) slot(situation, candidates)
      } catch {
        // A custom selector threw. Each rule is asked, and those that read it fail by themselves, which makes them fire.
        candidates.fill(0xffffffff)
      }
      for (let word = 0; word < words; word += 1) {
        let bits = candidates[word] ?? 0
        while (bits !== 0) {
          const bit = 31 - Math.clz32(bits & -bits)
          if (visit(word * 32 + bit)) return
          bits &= bits - 1
        }
      }
    },
  }
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
  const present = bits(draft.present, words)
  const failing = bits(draft.failing, words)
  const folded = bits([...draft.folded.values()].flat(), words)
  const text = scanner(draft.text)
  const lower = scanner(draft.folded)
  return (situation, candidates) => {
    const value = read(situation)
    if (value === undefined) return
    if (draft.present.length > 0) add(candidates, present)
    const equal = draft.equal.get(value)
    if (equal) for (const rule of equal) mark(candidates, rule)
    if (typeof value !== 'string') {
      if (draft.failing.length > 0) add(candidates, failing)
      return
    }
    text?.(value, candidates)
    if (!lower) return
    // Beyond ASCII one letter may have several other cases; then all of these rules are asked.
    if (notAscii.test(value)) add(candidates, folded)
    else lower(value.toLowerCase(), candidates)
  }
}

const notAscii = /[^\0-\u007F]/

function scanner(
  postings: ReadonlyMap<string, readonly number[]>,
): ((text: string, candidates: Uint32Array) => void) | undefined {
  if (postings.size === 0) return undefined
  const rules = [...postings.values()].map((list) => Int32Array.from(list))
  const automaton: LiteralAutomaton = buildAutomaton([...postings.keys()])
  return (text, candidates) => {
    automaton.scan(text, (literal) => {
      const list = rules[literal]
      if (list) for (const rule of list) mark(candidates, rule)
    })
  }
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
