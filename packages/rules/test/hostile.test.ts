import { randomInt } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compile, decidePost, decidePre, explain, parseRules, parseRuleset } from '../src/index.ts'
import { breaks, broken, hostileBase, hostileCall } from './hostile.ts'

const seed = Number(process.env['RULES_SEED'] ?? randomInt(2 ** 31))
const documents = 10_000
/** Drawn once: making a document costs more than breaking and reading it. */
const bases = fc.sample(hostileBase, { numRuns: 400, seed })
const calls = fc.sample(hostileCall, { numRuns: 2_000, seed })

test('whatever the document and the call, nothing throws, nothing hangs, and every answer is a verdict', () => {
  const seen = { documents: 0, accepted: 0, calls: 0, fired: 0, blocked: 0, slowestMs: 0 }
  fc.assert(
    fc.property(fc.nat(bases.length - 1), breaks, fc.nat(calls.length - 4), (base, by, from) => {
      const text = broken(bases[base] ?? '', by)
      const started = process.threadCpuUsage()
      const parsed = parseRuleset(text)
      seen.documents += 1
      // Looked at without `expect`: there are hundreds of thousands of them.
      const lost = parsed.diagnostics.find(
        ({ line, column, message, offset }) => message === '' || Math.min(line, column) < 1 || offset > text.length,
      )
      if (lost) throw new Error(`A finding without a place: ${JSON.stringify(lost)}`)
      if (parsed.ok) {
        seen.accepted += 1
        const compiled = compile(parsed.ruleset)
        for (const call of calls.slice(from, from + 4)) {
          const decision = decidePre(compiled, call)
          const after = decidePost(compiled, call, { result: call.args })
          if (!['allow', 'block', 'ask'].includes(decision.verdict)) throw new Error(decision.verdict)
          if (seen.calls % 20 === 0) expect(explain(compiled, call).verdict).toBe(decision.verdict)
          seen.calls += 1
          if (decision.decidedBy || decision.observed.length > 0 || after.fired.length > 0) seen.fired += 1
          if (decision.verdict === 'block') seen.blocked += 1
        }
      } else {
        if (parsed.diagnostics.every(({ severity }) => severity !== 'error'))
          throw new Error('refused without an error')
        if (seen.documents % 20 === 0) parseRules(text)
      }
      const { user, system } = process.threadCpuUsage(started)
      seen.slowestMs = Math.max(seen.slowestMs, (user + system) / 1_000)
    }),
    { numRuns: documents, seed },
  )
  const share = (count: number, of: number): string => `${((100 * count) / of).toFixed(1)} %`
  console.info(
    `${seen.documents} documents, seed ${seed}: ${share(seen.accepted, seen.documents)} accepted; ` +
      `${seen.calls} calls: ${share(seen.fired, seen.calls)} firing, ${share(seen.blocked, seen.calls)} blocked; slowest ${seen.slowestMs.toFixed(0)} ms`,
  )
  expect(seen.accepted / seen.documents).toBeGreaterThan(0.2)
  expect(seen.fired / seen.calls).toBeGreaterThan(0.2)
  expect(seen.blocked / seen.calls).toBeGreaterThan(0.2)
  expect(seen.calls).toBeGreaterThan(5_000)
  // One document with four calls. The budgets end what would run on for ever; a busy machine makes the rest slower.
  expect(seen.slowestMs).toBeLessThan(5_000)
}, 600_000)
