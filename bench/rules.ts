import { execFileSync } from 'node:child_process'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  type Call,
  type Compiled,
  compile,
  decidePre,
  parseRuleset,
  type Ruleset,
} from '../packages/rules/src/index.ts'
import { cedarLoop, type Decide, plainLoop } from './rules/others.ts'
import { mixed, type Workload, worst } from './rules/workload.ts'

/**
 * How long a decision takes, by number of rules, beside the plain loop over the rules and beside Cedar. Microseconds a
 * call; "compile" is compiling and the first decision of each kind of call, which makes the index of their tool.
 *
 * Each row has a process of its own, as an agent has one ruleset. The last row is what is left of that where one process
 * ran other rulesets before, as a server does: the engine's code is then made for all of them. The engine is measured in
 * three processes at different times, and the one in the middle counts: on a machine shared with others a processor is
 * half as quick for seconds at a time, which takes whole processes with it.
 */
const limits = { documentBytes: 100_000_000, lines: 10_000_000, nodes: 10_000_000, rules: 1_000_000 }

interface Times {
  readonly p50: number
  readonly p99: number
}

interface Measurement extends Times {
  readonly compileMs: number
}

interface Row extends Measurement {
  readonly name: string
  readonly rules: number
  readonly matching: number
  readonly parseMs: number
  /** The medians of all three processes. */
  readonly runs: readonly number[]
  readonly bytesPerCall: number
  readonly loopP50: number
  readonly timesLoop: number
  readonly cedarP50: number | undefined
  readonly timesCedar: number | undefined
}

function load(source: string): { readonly ruleset: Ruleset; readonly parseMs: number } {
  const document = `apiVersion: edictum/v1\nkind: Ruleset\nmetadata: {name: bench}\ndefaults: {mode: enforce}\nrules:\n${source}\n`
  const started = performance.now()
  const result = parseRuleset(document, { limits })
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics[0]))
  return { ruleset: result.ruleset, parseMs: performance.now() - started }
}

/** Single calls are below the clock's resolution, so four are timed at once, one of each kind. */
function measure(run: Decide, calls: readonly Call[], milliseconds: number): Times {
  const warm = performance.now()
  while (performance.now() - warm < milliseconds / 3) for (const call of calls) run(call)
  const times: number[] = []
  const begun = performance.now()
  while (times.length < 5 || (times.length < 200_000 && performance.now() - begun < milliseconds)) {
    const started = performance.now()
    for (const call of calls) run(call)
    times.push(((performance.now() - started) * 1_000) / calls.length)
  }
  times.sort((a, b) => a - b)
  return { p50: times[Math.floor(times.length * 0.5)] ?? 0, p99: times[Math.floor(times.length * 0.99)] ?? 0 }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** What one decision allocates. Few enough calls that nothing is collected in between. */
function bytesPerCall(run: Decide, calls: readonly Call[]): number {
  const rounds = 250
  const attempts = Array.from({ length: 5 }, () => {
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    for (let round = 0; round < rounds; round += 1) for (const call of calls) run(call)
    return (process.memoryUsage().heapUsed - before) / (rounds * calls.length)
  })
  return Math.round(attempts.toSorted((a, b) => a - b)[2] ?? 0)
}

function prepare({ source, calls }: Workload) {
  const { ruleset, parseMs } = load(source)
  const started = performance.now()
  const compiled: Compiled = compile(ruleset)
  for (const call of calls) {
    const { decidedBy } = decidePre(compiled, call)
    if (decidedBy) throw new Error(`the workload must be allowed, but ${decidedBy.name} says ${decidedBy.message}`)
  }
  const compileMs = performance.now() - started
  const decide = (call: Call): void => void decidePre(compiled, call)
  return { ruleset, parseMs, compileMs, decide }
}

const engineMs = 1_500

function timesOf(workload: Workload): Measurement {
  const { compileMs, decide } = prepare(workload)
  return { compileMs, ...measure(decide, workload.calls, engineMs) }
}

function rowOf(workload: Workload): Row {
  const { name, rules, matching, cedar, calls } = workload
  const { ruleset, parseMs, compileMs, decide } = prepare(workload)
  const engine = measure(decide, calls, engineMs)
  const loop = measure(plainLoop(ruleset), calls, 750)
  const other = cedar === '' || rules > 1_000 ? undefined : measure(cedarLoop(cedar, calls), calls, 1_000)
  return {
    name,
    rules,
    matching,
    parseMs,
    compileMs,
    ...engine,
    runs: [engine.p50],
    bytesPerCall: bytesPerCall(decide, calls),
    loopP50: loop.p50,
    timesLoop: loop.p50 / engine.p50,
    cedarP50: other?.p50,
    timesCedar: other && other.p50 / engine.p50,
  }
}

const workloads = [
  () => mixed('a quarter on the tool', 10, 3),
  () => mixed('a quarter on the tool', 100, 25),
  () => mixed('a quarter on the tool', 1_000, 250),
  () => mixed('a quarter on the tool', 10_000, 2_500),
  () => mixed('20 on the tool', 1_000, 20),
  () => mixed('20 on the tool', 10_000, 20),
  () => worst(1_000),
]

type Measured = typeof rowOf | typeof timesOf

/** The last of these workloads, run after the ones before it in one process. */
function inOwnProcess<What extends Measured>(what: What, numbers: readonly number[]): ReturnType<What> {
  const text = execFileSync(process.execPath, [import.meta.filename, what.name, numbers.join(',')], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return JSON.parse(text) as ReturnType<What>
}

const [, , what, chosen = ''] = process.argv
if (what !== undefined) {
  const measured = what === timesOf.name ? timesOf : rowOf
  const [last] = chosen
    .split(',')
    .map((number) => workloads[Number(number)])
    .filter((one) => one !== undefined)
    .map((one): Measurement => measured(one()))
    .slice(-1)
  process.stdout.write(JSON.stringify(last))
  process.exit()
}

const plan = [...workloads.map((_, number) => [number]), [0, 1, 2, 3, 4]]
const first = plan.map((numbers) => inOwnProcess(rowOf, numbers))
const again = [1, 2].map(() => plan.map((numbers) => inOwnProcess(timesOf, numbers)))
const rows = first.map((row, at): Row => {
  const each: readonly Measurement[] = [row, ...again.map((one) => one[at] ?? row)]
  const times = each.toSorted((a, b) => a.p50 - b.p50)
  const { p50, p99 } = times[1] ?? row
  const compileMs = each.map((one) => one.compileMs).toSorted((a, b) => a - b)[1] ?? row.compileMs
  const { loopP50, cedarP50 } = row
  const name = at < workloads.length ? row.name : `${row.name}, after four others`
  const ratios = { timesLoop: loopP50 / p50, timesCedar: cedarP50 === undefined ? undefined : cedarP50 / p50 }
  return { ...row, name, compileMs, p50, p99, ...ratios, runs: times.map((one) => one.p50) }
})

const round = (value: number | undefined): string => {
  if (value === undefined) return '–'
  return value < 10 ? value.toFixed(2) : value.toFixed(0)
}
const heads = ['Rules', 'Workload', 'Match', 'Parse ms', 'Compile ms', 'p50 µs', 'p99 µs', 'Bytes a call']
const heading = [...heads, 'Plain loop µs', '× faster', 'Cedar µs', '× faster']
process.stdout.write(`| ${heading.join(' | ')} |\n|${heading.map(() => '---').join('|')}|\n`)
for (const row of rows) {
  const times = [row.parseMs, row.compileMs, row.p50, row.p99].map(round)
  const others = [row.loopP50, row.timesLoop, row.cedarP50, row.timesCedar].map(round)
  process.stdout.write(
    `| ${[row.rules, row.name, row.matching, ...times, row.bytesPerCall, ...others].join(' | ')} |\n`,
  )
}
process.stdout.write(`${JSON.stringify({ bench: 'rules', rows })}\n`)
