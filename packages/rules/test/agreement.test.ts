import { randomInt } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { compile, decidePost, decidePre, type JsonValue, parseRuleset } from '../src/index.ts'
import { generatedCall, rulesetData } from './generate.ts'
import { referencePost, referencePre } from './reference.ts'

/** How many calls are compared; `RULES_AGREEMENT=1000000` for a million, and `RULES_SEED` to repeat a run. */
const wanted = Number(process.env['RULES_AGREEMENT'] ?? 20_000)
const seed = Number(process.env['RULES_SEED'] ?? randomInt(2 ** 31))
const callsEach = 40

const output = fc.constantFrom<JsonValue>(
  'hello',
  'rm -rf /',
  'DROP TABLE users',
  '',
  null,
  12,
  ['a'],
  { status: 'admin' },
  { status: 12, deep: 'git status' },
)

test('the engine agrees with the plain interpreter on verdict, rule, message, errors and what was observed', () => {
  const seen = { calls: 0, fired: 0, blocked: 0, asked: 0 }
  fc.assert(
    fc.property(
      // Few rules are asked one by one; from seven on there is an index.
      fc.oneof(rulesetData(8), rulesetData(40)),
      fc.array(fc.tuple(generatedCall, output), { minLength: callsEach, maxLength: callsEach }),
      (data, calls) => {
        const parsed = parseRuleset(stringify(data))
        if (!parsed.ok) throw new Error(JSON.stringify(parsed.diagnostics[0]))
        const { ruleset } = parsed
        const compiled = compile(ruleset)
        for (const [{ call, counters, env }, result] of calls) {
          const facts = { counters, env }
          const ours = decidePre(compiled, call, facts)
          const fired = decidePost(compiled, call, { result }, facts).fired.map(({ name }) => name)
          const answer = {
            verdict: ours.verdict,
            name: ours.decidedBy?.name,
            message: ours.decidedBy?.message,
            policyError: ours.policyError,
            observed: ours.observed.map(({ name }) => name),
            fired,
          }
          const plain = {
            ...referencePre(ruleset, call, facts),
            fired: referencePost(ruleset, call, { result }, facts),
          }
          // Compared as text first: making the words for a failure takes longer than all the rest.
          if (JSON.stringify(answer) !== JSON.stringify(plain)) {
            expect(answer, JSON.stringify({ data, call, facts, result })).toEqual(plain)
          }
          seen.calls += 1
          if (ours.decidedBy || ours.observed.length > 0 || fired.length > 0) seen.fired += 1
          if (ours.verdict === 'block') seen.blocked += 1
          if (ours.verdict === 'ask') seen.asked += 1
        }
      },
    ),
    { numRuns: Math.ceil(wanted / callsEach), seed },
  )
  const share = (count: number): string => `${((100 * count) / seen.calls).toFixed(1)} %`
  console.info(
    `${seen.calls} calls compared, seed ${seed}: ${share(seen.fired)} firing, ${share(seen.blocked)} blocked, ${share(seen.asked)} asking`,
  )
  // Below a fifth the agreement would be about rules that never speak.
  expect(seen.calls).toBeGreaterThanOrEqual(wanted)
  expect(seen.fired / seen.calls).toBeGreaterThan(0.2)
  expect(seen.blocked / seen.calls).toBeGreaterThan(0.2)
  expect(seen.asked / seen.calls).toBeGreaterThan(0.05)
}, 7_200_000)
