import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { type Compiled, compile, decidePre, parseRuleset } from '../src/index.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const calls = ['git status', 'npm test -- --reporter dot', 'cat /srv/src/index.ts', 'kubectl get pods -o wide'].map(
  (command) => ({ tool: 'Bash', args: { command, host: 'host-a' }, principal: { role: 'engineer' } }),
)

/** Rules that do not fire, of which every fourth is of the tool that is called: words, equality, patterns, and one of each. */
function rulesetOf(count: number): Compiled {
  const conditions = [
    (n: number) => `args.command: {contains: "deploy-${n}"}`,
    (n: number) => `args.host: {equals: "host-${n}"}`,
    (n: number) => `args.command: {matches: "\\\\bforbidden${n}\\\\s+--force\\\\b"}`,
    (n: number) => `any: [{principal.role: {in: [intern-${n}]}}, {args.command: {starts_with: "rm${n} "}}]`,
  ]
  const rules = Array.from({ length: count }, (_, n) => {
    const when = conditions[Math.floor(n / 4) % conditions.length]?.(n) ?? ''
    const tool = n % 4 === 0 ? 'Bash' : `tool_${n % 19}`
    return `  - {id: r${n}, type: pre, tool: ${tool}, when: {${when}}, then: {action: block, message: Stopped}}`
  })
  const document = `apiVersion: edictum/v1\nkind: Ruleset\nmetadata: {name: many}\ndefaults: {mode: enforce}\nrules:\n${rules.join('\n')}\n`
  const limits = { documentBytes: 100_000_000, lines: 1_000_000, nodes: 10_000_000, rules: 100_000 }
  const read = parseRuleset(document, { limits })
  if (!read.ok) throw new Error(JSON.stringify(read.diagnostics[0]))
  return compile(read.ruleset)
}

/**
 * What one decision allocates: the least of several attempts, since whatever else runs in this process only adds. An attempt
 * that was collected from in between shows less than nothing, and is none.
 */
function bytesPerDecision(compiled: Compiled): number {
  const decide = (rounds: number): void => {
    for (let round = 0; round < rounds; round += 1) {
      for (const call of calls) {
        const { decidedBy } = decidePre(compiled, call)
        if (decidedBy) throw new Error(`the call must pass, but ${decidedBy.name} says ${decidedBy.message}`)
      }
    }
  }
  decide(2_000)
  const rounds = 100
  const attempts = Array.from({ length: 15 }, () => {
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    decide(rounds)
    return (process.memoryUsage().heapUsed - before) / (rounds * calls.length)
  })
  return Math.min(...attempts.filter((bytes) => bytes > 0))
}

test('what a decision allocates does not grow with the number of rules', () => {
  const [few = 0, many = 0, most = 0] = [100, 1_000, 10_000].map((count) => bytesPerDecision(rulesetOf(count)))
  process.stdout.write(
    `bytes a decision: ${few.toFixed(0)} at 100 rules, ${many.toFixed(0)} at 1,000, ${most.toFixed(0)} at 10,000\n`,
  )
  // A single reference for each rule of the tool would be 20,000 bytes at 10,000 rules.
  expect(few).toBeLessThan(8_000)
  expect(many).toBeLessThan(few + 1_000)
  expect(most).toBeLessThan(few + 1_000)
}, 60_000)
