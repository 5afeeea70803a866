import { parentPort } from 'node:worker_threads'
import { type Given, perform, type WorkName } from './ruleset-work.ts'

// A thread of its own, so that a document that takes long holds up other documents only. One order at a time.

export type Order = { readonly name: WorkName; readonly given: Given[WorkName] }
export type Report =
  | { readonly is: 'ready' }
  | { readonly is: 'done'; readonly answer: unknown }
  | { readonly is: 'failed'; readonly message: string }

const report = (what: Report): void => parentPort?.postMessage(what)

parentPort?.on('message', ({ name, given }: Order) => {
  try {
    report({ is: 'done', answer: perform(name, given) })
  } catch (cause) {
    report({ is: 'failed', message: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) })
  }
})
report({ is: 'ready' })
