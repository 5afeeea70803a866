import { parentPort } from 'node:worker_threads'
import { loadCases } from './cases.ts'
import { runCase } from './run-case.ts'

/** Runs the cases it is sent the numbers of. In a thread of its own, so that one that hangs can be ended. */
const cases = loadCases()
parentPort?.on('message', (index: number) => {
  const one = cases[index]
  parentPort?.postMessage({ index, differences: one ? runCase(one) : ['no such case'] })
})
parentPort?.postMessage('ready')
