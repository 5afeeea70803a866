import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { loadCases } from './cases.ts'
import { knownDefects } from './known-defects.ts'

/** `npm run conformance`: every public case, each with a limit of two seconds. Exit code 1 when one fails. */
const secondsMax = 2
const cases = loadCases()
const totals = { passed: 0, failed: 0 }
let worker = await start()

for (const [index, one] of cases.entries()) {
  const differences = await run(index)
  const defect = knownDefects.get(one.id)
  if (differences.length > 0) {
    totals.failed += 1
    say(`FAILED ${one.id}\n${differences.map((line) => `  ${line}`).join('\n')}`)
  } else {
    totals.passed += 1
    if (defect) say(`fixture defect ${one.id}, asserted instead: ${defect.verdict}. ${defect.reason}`)
  }
}
await worker.terminate()
say(`${totals.passed} passed, ${totals.failed} failed`)
process.exitCode = totals.failed > 0 ? 1 : 0

async function start(): Promise<Worker> {
  const made = new Worker(new URL('worker.ts', import.meta.url))
  await once(made, 'message')
  return made
}

async function run(index: number): Promise<readonly string[]> {
  const limit = AbortSignal.timeout(secondsMax * 1_000)
  worker.postMessage(index)
  try {
    const [answer]: { differences: readonly string[] }[] = await once(worker, 'message', { signal: limit })
    return answer?.differences ?? ['no answer']
  } catch {
    await worker.terminate()
    worker = await start()
    return [`took more than ${secondsMax} s, or the thread died`]
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
