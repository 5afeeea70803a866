import { parentPort } from 'node:worker_threads'
import { type Replay, replay } from '@countersign/rehearsal'
import { compile, parseRuleset } from '@countersign/rules'
import { openDb } from '../../kernel/db.ts'
import { type EventScope, readRecordedCalls } from '../events/index.ts'
import { resultOnWire } from './replay-result.ts'

// A thread of its own with connections of its own: reading and evaluating millions of calls keeps a processor busy, and
// the server's loop must not be it. It is given one replay at a time and ends when it is ended.

export type ReplayOrder = {
  readonly databaseUrl: string
  readonly scope: EventScope & { readonly since: number; readonly until: number }
  readonly draftText: string
  readonly baselineText: string | null
}

export type ReplayReport =
  | { readonly is: 'progress'; readonly rows: number; readonly distinct: number }
  | { readonly is: 'done'; readonly result: ReturnType<typeof resultOnWire> }
  | { readonly is: 'failed'; readonly message: string }

const reportEveryMs = 200

async function run(order: ReplayOrder): Promise<void> {
  const db = openDb({
    url: order.databaseUrl,
    applicationName: 'countersign replay',
    connectionsMax: 2,
    onBrokenConnection: () => undefined,
  })
  try {
    const begun = performance.now()
    const running = replay({
      draft: compiled(order.draftText),
      baseline: order.baselineText === null ? undefined : compiled(order.baselineText),
      sinceMs: order.scope.since / 1_000,
      untilMs: order.scope.until / 1_000,
    })
    await readAll(db, order, running)
    const { events, distinctCalls } = running.progress()
    const seconds = (performance.now() - begun) / 1_000
    report({ is: 'progress', rows: events, distinct: distinctCalls })
    report({ is: 'done', result: resultOnWire(running.end(), { events, seconds }) })
  } finally {
    await db.end()
  }
}

function readAll(db: ReturnType<typeof openDb>, { scope }: ReplayOrder, running: Replay): Promise<void> {
  let told = performance.now()
  return readRecordedCalls(db, scope, running, () => {
    if (performance.now() - told < reportEveryMs) return
    told = performance.now()
    const { events: rows, distinctCalls: distinct } = running.progress()
    report({ is: 'progress', rows, distinct })
  })
}

function compiled(text: string) {
  const parsed = parseRuleset(text)
  if (!parsed.ok) throw new Error(`A checked ruleset is refused: ${parsed.diagnostics[0]?.message ?? ''}`)
  return compile(parsed.ruleset)
}

function report(what: ReplayReport): void {
  parentPort?.postMessage(what)
}

parentPort?.on('message', (order: ReplayOrder) => {
  run(order).catch((cause: unknown) => {
    report({ is: 'failed', message: cause instanceof Error ? cause.message : String(cause) })
  })
})
