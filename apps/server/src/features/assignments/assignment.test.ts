import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AssignmentRule, assignmentBook, ruleMatches } from './assignment.ts'

const rule = (priority: number, more: Partial<AssignmentRule> = {}): AssignmentRule => ({
  id: `r${priority}`,
  priority,
  pattern: 'bot-*',
  tagMatch: null,
  environment: 'production',
  ruleset: `set-${priority}`,
  ...more,
})
const bot = { environment: 'production', agentId: 'bot-1', tags: {} }
const nobody = (): undefined => undefined

test('an explicit assignment wins over rules, rules over what the agent asks for', () => {
  const asked = { ...bot, asked: 'wanted' }
  const explicit = assignmentBook([rule(1)], () => 'given')
  expect(explicit.resolve(asked, 'operator_first')).toEqual({ ruleset: 'given', source: 'explicit' })
  const byRule = assignmentBook([rule(1)], nobody)
  expect(byRule.resolve(asked, 'operator_first')).toEqual({
    ruleset: 'set-1',
    source: 'rule',
    ruleId: 'r1',
    rulePattern: 'bot-*',
  })
  const empty = assignmentBook([], nobody)
  expect(empty.resolve(asked, 'operator_first')).toEqual({ ruleset: 'wanted', source: 'agent_provided' })
  expect(empty.resolve(bot, 'operator_first')).toEqual({ ruleset: null, source: 'none' })
})

test('in the order of the older product the agent’s own choice wins over everything', () => {
  const book = assignmentBook([rule(1)], () => 'given')
  expect(book.resolve({ ...bot, asked: 'wanted' }, 'agent_first').ruleset).toBe('wanted')
  expect(book.resolve(bot, 'agent_first').ruleset).toBe('given')
})

test('a name no ruleset can have is as if the agent asked for nothing', () => {
  const book = assignmentBook([], nobody)
  for (const asked of ['', '../x', 'a b', `a${'b'.repeat(128)}`, 'a\n']) {
    expect(book.resolve({ ...bot, asked }, 'operator_first').source).toBe('none')
  }
})

test('the lowest priority that matches wins, in whatever order the rules come', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(1_000), { minLength: 1, maxLength: 20 }), (priorities) => {
      const book = assignmentBook(
        priorities.map((priority) => rule(priority)),
        nobody,
      )
      expect(book.resolve(bot, 'operator_first').ruleset).toBe(`set-${Math.min(...priorities)}`)
    }),
  )
})

test('every tag of a rule must be the agent’s own, and a name of the language is not one', () => {
  const tagged = rule(1, { tagMatch: { team: 'x', tier: '1' } })
  const book = assignmentBook([tagged], nobody)
  const of = (tags: Record<string, string>): string => book.resolve({ ...bot, tags }, 'operator_first').source
  expect(of({ team: 'x', tier: '1', more: 'yes' })).toBe('rule')
  expect(of({ team: 'x' })).toBe('none')
  expect(of({ team: 'x', tier: '2' })).toBe('none')
  const odd = rule(1, { tagMatch: { constructor: 'function Object() { [native code] }' } })
  expect(ruleMatches(odd, bot)).toBe(false)
})

test('a rule is about its own environment only', () => {
  const book = assignmentBook([rule(1, { environment: 'staging' })], nobody)
  expect(book.resolve(bot, 'operator_first').source).toBe('none')
})
