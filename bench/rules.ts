import { compileExpression } from '../packages/rules/src/evaluate/expression-test.ts'
import { compileGlob } from '../packages/rules/src/evaluate/glob.ts'
import { compileSandbox, materialsOf } from '../packages/rules/src/evaluate/sandbox.ts'
import {
  type Call,
  type Compiled,
  compile,
  decidePre,
  parseRuleset,
  type Ruleset,
} from '../packages/rules/src/index.ts'

/**
 * How long a decision takes, by number of rules. Workload: 20 tools, four kinds of call, a quarter of the rules match the
 * call's tool, every third rule has a pattern, at most 5 sandbox rules, every call is allowed (so every rule counts).
 * Beside it the plain loop over the rules, and the worst case: all rules on one tool, none with a literal to look for.
 */
const limits = { documentBytes: 100_000_000, lines: 10_000_000, nodes: 10_000_000, rules: 1_000_000 }

interface Workload {
  readonly name: string
  readonly rules: number
  readonly matching: number
  readonly source: string
  readonly calls: readonly Call[]
}

function mixed(count: number, share: number): Workload {
  const sandboxes = Math.min(5, Math.floor(count / 20))
  const lines: string[] = []
  let matching = 0
  for (let n = 0; n < count - sandboxes; n += 1) {
    const isOwn = n % 100 < share * 100
    if (isOwn) matching += 1
    const tool = isOwn ? 'Bash' : `tool_${n % 19}`
    lines.push(
      `  - {id: r${n}, type: pre, tool: ${tool}, when: {${condition(n)}}, then: {action: block, message: Stopped}}`,
    )
  }
  for (let n = 0; n < sandboxes; n += 1) {
    lines.push(
      `  - {id: s${n}, type: sandbox, tool: Bash, within: [/srv, /tmp], not_within: [/srv/secret${n}], message: Outside}`,
    )
  }
  const name = share < 0.25 ? `${count} rules, few on the tool` : `${count} rules, a quarter on the tool`
  return { name, rules: count, matching: matching + sandboxes, source: lines.join('\n'), calls: calls() }
}

function condition(n: number): string {
  switch (n % 6) {
    case 0:
      return `args.command: {matches: "\\\\bforbidden${n}\\\\s+--force\\\\b"}`
    case 1:
      return `args.host: {equals: "host-${n}"}`
    case 2:
      return `all: [{environment: {equals: env-${n}}}, {args.command: {contains: "deploy-${n}"}}]`
    case 3:
      return `args.command: {matches_any: ["drop_${n}\\\\d+", "(?i)truncate_${n}"]}`
    case 4:
      return `any: [{principal.role: {in: [intern-${n}, guest-${n}]}}, {args.command: {starts_with: "rm${n} "}}]`
    default:
      return `args.command: {contains_any: ["secret-${n}", "token-${n}"]}`
  }
}

function worst(count: number): Workload {
  const lines = Array.from({ length: count }, (_, n) => {
    return `  - {id: r${n}, type: pre, tool: "*", when: {args.command: {matches: "^[a-c]{${(n % 50) + 2}}\\\\d[x-z]?\\\\w*[0-9]{${(n % 7) + 1}}$"}}, then: {action: block, message: m}}`
  })
  return { name: `${count} rules, worst case`, rules: count, matching: count, source: lines.join('\n'), calls: calls() }
}

function calls(): readonly Call[] {
  const principal = { role: 'engineer', userId: 'u1' }
  return [
    { tool: 'Bash', args: { command: 'git status', host: 'host-a' }, principal },
    { tool: 'Bash', args: { command: 'kubectl get pods --namespace payments -o wide' }, principal },
    { tool: 'Bash', args: { command: 'cat /srv/src/index.ts', host: 'host-b' }, principal },
    { tool: 'Bash', args: { command: 'npm test -- --reporter dot', cwd: '/srv/app' }, principal },
  ]
}

function load(source: string): { readonly ruleset: Ruleset; readonly parseMs: number } {
  const document = `apiVersion: edictum/v1\nkind: Ruleset\nmetadata: {name: bench}\ndefaults: {mode: enforce}\nrules:\n${source}\n`
  const started = performance.now()
  const result = parseRuleset(document, { limits })
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics[0]))
  return { ruleset: result.ruleset, parseMs: performance.now() - started }
}

/** Every rule asked in turn, its condition compiled once: what an engine without an index does. */
function plainLoop(ruleset: Ruleset): (call: Call) => void {
  const host = { workingDirectory: '/' }
  const rules = ruleset.rules.flatMap((rule) => {
    if (rule.type === 'pre') return [{ tools: [compileGlob(rule.tool)], test: compileExpression(rule.when, {}) }]
    if (rule.type !== 'sandbox') return []
    const breaks = compileSandbox(rule, host)
    return [
      {
        tools: rule.tools.map(compileGlob),
        test: ({ call }: { call: Call }) => (breaks(materialsOf(call, host)) ? 'yes' : 'no'),
      },
    ]
  })
  return (call) => {
    const situation = { call, facts: {}, customSelectors: {} }
    for (const { tools, test } of rules) {
      if (tools.some((matches) => matches(call.tool)) && test(situation) !== 'no')
        throw new Error('the workload must be allowed')
    }
  }
}

interface Times {
  readonly p50: number
  readonly p99: number
}

/** Microseconds a call. Single calls below the clock's resolution are timed in batches of four, one of each kind. */
function measure(run: (call: Call) => void, list: readonly Call[], rounds: number): Times {
  const warm = performance.now()
  while (performance.now() - warm < 300) for (const call of list) run(call)
  const times: number[] = []
  const begun = performance.now()
  while (times.length < 5 || (times.length < rounds && performance.now() - begun < 1_500)) {
    const started = performance.now()
    for (const call of list) run(call)
    times.push(((performance.now() - started) * 1_000) / list.length)
  }
  times.sort((a, b) => a - b)
  return { p50: times[Math.floor(times.length * 0.5)] ?? 0, p99: times[Math.floor(times.length * 0.99)] ?? 0 }
}

const rows = [
  mixed(10, 0.25),
  mixed(100, 0.25),
  mixed(1_000, 0.25),
  mixed(10_000, 0.25),
  mixed(1_000, 0.02),
  mixed(10_000, 0.002),
  worst(1_000),
].map(({ name, rules, matching, source, calls: list }) => {
  const { ruleset, parseMs } = load(source)
  const started = performance.now()
  const compiled: Compiled = compile(ruleset)
  for (const call of list) {
    const { decidedBy } = decidePre(compiled, call)
    if (decidedBy) throw new Error(`the workload must be allowed, but ${decidedBy.name} says ${decidedBy.message}`)
  }
  const compileMs = performance.now() - started
  const engine = measure((call) => decidePre(compiled, call), list, 20_000)
  const loop = measure(plainLoop(ruleset), list, 5_000)
  return { name, rules, matching, parseMs, compileMs, ...engine, loopP50: loop.p50, ratio: loop.p50 / engine.p50 }
})

const round = (value: number): string => (value < 100 ? value.toFixed(2) : value.toFixed(0))
process.stdout.write(
  '| Workload | Match | Parse ms | Compile and first call ms | p50 µs | p99 µs | Plain loop p50 µs | Ratio |\n|---|---|---|---|---|---|---|---|\n',
)
for (const row of rows) {
  const cells = [
    row.name,
    row.matching,
    round(row.parseMs),
    round(row.compileMs),
    round(row.p50),
    round(row.p99),
    round(row.loopP50),
    round(row.ratio),
  ]
  process.stdout.write(`| ${cells.join(' | ')} |\n`)
}
process.stdout.write(`${JSON.stringify({ bench: 'rules', rows })}\n`)
