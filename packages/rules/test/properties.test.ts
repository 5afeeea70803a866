import { randomInt } from 'node:crypto'
import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { stringify } from 'yaml'
import { type Compiled, compile, decidePost, decidePre, parseRuleset, renderings } from '../src/index.ts'
import { blockRule, type GeneratedCall, generatedCall, rulesetData } from './generate.ts'

const seed = Number(process.env['RULES_SEED'] ?? randomInt(2 ** 31))
const documents = 250
const callsEach = 10
const calls = fc.array(generatedCall, { minLength: callsEach, maxLength: callsEach })

type Seen = { documents: number; accepted: number; calls: number; fired: number; blocked: number }
const nothingSeen = (): Seen => ({ documents: 0, accepted: 0, calls: 0, fired: 0, blocked: 0 })

vi.setConfig({ testTimeout: 300_000 })

test('both renderings of a ruleset give every call the same answer', () => {
  const seen = nothingSeen()
  fc.assert(
    fc.property(rulesetData(12), calls, (data, asked) => {
      seen.documents += 1
      const both = renderings(stringify(data), { isServed: false })
      if (!both.ok) return
      seen.accepted += 1
      const rulesets = compiled(both.renderings.ruleset.text)
      const contracts = compiled(both.renderings.contractBundle.text)
      for (const one of asked) {
        const answer = answerOf(rulesets, one)
        expect(answerOf(contracts, one)).toEqual(answer)
        count(seen, answer)
      }
    }),
    { numRuns: documents, seed },
  )
  told('both renderings', seen)
})

test('a block rule that is added anywhere never turns a block into an allow, nor an enforced question into one', () => {
  const seen = nothingSeen()
  let stopped = 0
  fc.assert(
    fc.property(rulesetData(12), blockRule, fc.nat(12), calls, (data, added, at, asked) => {
      seen.documents += 1
      const rules = data['rules'] as readonly object[]
      const isEnforced = (data['defaults'] as { readonly mode: string }).mode === 'enforce'
      const before = parseRuleset(stringify(data))
      const after = parseRuleset(stringify({ ...data, rules: rules.toSpliced(at, 0, { id: 'added', ...added }) }))
      if (!before.ok || !after.ok) return
      seen.accepted += 1
      const [without, with_] = [compile(before.ruleset), compile(after.ruleset)]
      for (const one of asked) {
        const old = answerOf(without, one)
        const now = answerOf(with_, one)
        const told = JSON.stringify({ data, added, at, one })
        if (old.verdict === 'block') expect(now.verdict, told).toBe('block')
        // A ruleset that only observes lets pass what it would have blocked (rules-language §19).
        if (old.verdict === 'ask' && isEnforced) expect(now.verdict, told).not.toBe('allow')
        if (old.verdict === 'allow' && now.verdict === 'block') stopped += 1
        count(seen, now)
      }
    }),
    { numRuns: documents, seed },
  )
  told('an added block rule', seen)
  // A rule that never stops anything would prove nothing.
  expect(stopped).toBeGreaterThan(0)
})

function compiled(text: string): Compiled {
  const parsed = parseRuleset(text)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.diagnostics[0]))
  return compile(parsed.ruleset)
}

function answerOf(ruleset: Compiled, { call, counters, env }: GeneratedCall) {
  const { verdict, decidedBy, observed, policyError } = decidePre(ruleset, call, { counters, env })
  const { fired, passed } = decidePost(ruleset, call, { result: call.args }, { counters, env })
  return {
    verdict,
    rule: decidedBy?.name,
    message: decidedBy?.message,
    policyError,
    observed: observed.map(({ name }) => name),
    fired: fired.map(({ name }) => name),
    passed,
  }
}

function count(seen: Seen, { verdict, rule, observed, fired }: ReturnType<typeof answerOf>): void {
  seen.calls += 1
  if (rule !== undefined || observed.length > 0 || fired.length > 0) seen.fired += 1
  if (verdict === 'block') seen.blocked += 1
}

function told(what: string, seen: Seen): void {
  const share = (part: number, of: number): string => `${((100 * part) / of).toFixed(1)} %`
  console.info(
    `${what}: ${seen.documents} documents, seed ${seed}: ${share(seen.accepted, seen.documents)} accepted; ` +
      `${seen.calls} calls: ${share(seen.fired, seen.calls)} firing, ${share(seen.blocked, seen.calls)} blocked`,
  )
  expect(seen.accepted / seen.documents).toBeGreaterThan(0.2)
  expect(seen.fired / seen.calls).toBeGreaterThan(0.2)
  expect(seen.blocked / seen.calls).toBeGreaterThan(0.2)
}
