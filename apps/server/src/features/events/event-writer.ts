import type { Clock } from '../../kernel/clock.ts'
import { type Sql, sqlState } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { type EventRow, insertEvents, makePartition } from './events-table.ts'

export type Written = { readonly accepted: number; readonly refused: ReadonlySet<string> }

export type EventWriter = {
  /** Resolves when the rows are durable. Rows whose ids are stored already are left out. */
  readonly write: (rows: readonly EventRow[]) => Promise<Written>
  /** Rows that are not durable yet. */
  readonly waiting: () => number
  /** Waits for what was accepted for writing. */
  readonly settle: () => Promise<void>
}

type Waiting = {
  readonly rows: readonly EventRow[]
  readonly resolve: (written: Written) => void
  readonly reject: (cause: unknown) => void
}

type Needs = { readonly db: Sql; readonly clock: Pick<Clock, 'now'> }

/** More than two at once only fight for the same pages; one alone would leave the disk idle between commits. */
const statementsMax = 2
const rowsPerStatement = 1_500
/** A statement costs as much as forty rows, and a commit waits for the disk. */
const rowsForSecond = 400
/** What may wait in memory; beyond it agents are asked to come again, and keep what they have. */
const rowsWaitingMax = 100_000
const bytesWaitingMax = 256 * 1_024 * 1_024

/**
 * Writes events of many requests with one statement: those that arrive while a statement runs go together into the
 * next one. Each request is answered when its rows are committed.
 */
export function eventWriter({ db, clock }: Needs): EventWriter {
  let waiting: Waiting[] = []
  let rowsWaiting = 0
  let bytesWaiting = 0
  let rowsRunning = 0
  let running = 0
  const writing = new Set<string>()
  let whenIdle: (() => void)[] = []

  /** One alone runs at once; beside it another, when there is enough for it. What waits meanwhile makes a larger one. */
  const mayStart = (): boolean =>
    waiting.length > 0 && (running === 0 || (running < statementsMax && rowsWaiting - rowsRunning >= rowsForSecond))

  const pump = (): void => {
    while (mayStart()) {
      const batch = take()
      if (batch.length === 0) return
      const rowCount = batch.reduce((sum, { rows }) => sum + rows.length, 0)
      running += 1
      rowsRunning += rowCount
      void write(batch).finally(() => {
        running -= 1
        rowsRunning -= rowCount
        for (const { rows } of batch) {
          rowsWaiting -= rows.length
          bytesWaiting -= sizeOf(rows)
          for (const { id } of rows) writing.delete(`${id}`)
        }
        if (running === 0 && waiting.length === 0) {
          for (const tell of whenIdle) tell()
          whenIdle = []
        }
        pump()
      })
    }
  }

  /** The next requests, except those that repeat an event being written right now: they wait to find it stored. */
  const take = (): readonly Waiting[] => {
    const batch: Waiting[] = []
    const later: Waiting[] = []
    let count = 0
    for (const one of waiting) {
      const isFull = count > 0 && count + one.rows.length > rowsPerStatement
      if (isFull || one.rows.some(({ id }) => writing.has(id))) {
        later.push(one)
        continue
      }
      for (const { id } of one.rows) writing.add(id)
      batch.push(one)
      count += one.rows.length
    }
    waiting = later
    return batch
  }

  const write = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      const accepted = await insert(batch.map(({ rows }) => rows))
      for (const [at, one] of batch.entries()) one.resolve({ accepted: accepted.get(at) ?? 0, refused: new Set() })
    } catch (cause) {
      if (!isAboutValues(cause)) {
        for (const one of batch) one.reject(cause)
        return
      }
      for (const one of batch) {
        await writeHalves(one.rows).then(one.resolve, one.reject)
      }
    }
  }

  /** One value the database will not take must not cost the others: halve until it stands alone. */
  const writeHalves = async (rows: readonly EventRow[]): Promise<Written> => {
    try {
      return { accepted: (await insert([rows])).get(0) ?? 0, refused: new Set() }
    } catch (cause) {
      if (!isAboutValues(cause)) throw cause
      if (rows.length <= 1) return { accepted: 0, refused: new Set(rows.map(({ id }) => id)) }
      const middle = rows.length >> 1
      const one = await writeHalves(rows.slice(0, middle))
      const other = await writeHalves(rows.slice(middle))
      return { accepted: one.accepted + other.accepted, refused: new Set([...one.refused, ...other.refused]) }
    }
  }

  const insert = async (requests: readonly (readonly EventRow[])[]): Promise<ReadonlyMap<number, number>> => {
    for (let tries = 1; ; tries += 1) {
      const now = clock.now()
      try {
        return await insertEvents(db, requests, now)
      } catch (cause) {
        const state = sqlState(cause)
        if (tries >= 4) throw cause
        // No partition for this month: the worker that makes them ahead has not run.
        if (state === '23514') await makePartition(db, now)
        else if (state !== '40P01' && state !== '40001') throw cause
      }
    }
  }

  return {
    write: (rows) => {
      if (rows.length === 0) return Promise.resolve({ accepted: 0, refused: new Set() })
      const bytes = sizeOf(rows)
      if (rowsWaiting > 0 && (rowsWaiting + rows.length > rowsWaitingMax || bytesWaiting + bytes > bytesWaitingMax)) {
        throw new Problem(problems.unavailable, 'Too many events wait to be stored. Send them again in a moment.', {
          retryAfterSeconds: 2,
        })
      }
      rowsWaiting += rows.length
      bytesWaiting += bytes
      return new Promise((resolve, reject) => {
        waiting.push({ rows, resolve, reject })
        pump()
      })
    },
    waiting: () => rowsWaiting,
    settle: () =>
      running === 0 && waiting.length === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            whenIdle.push(resolve)
          }),
  }
}

function sizeOf(rows: readonly EventRow[]): number {
  let bytes = 0
  for (const { payload } of rows) bytes += payload.length
  return bytes
}

/** Data exceptions and exceeded limits of one value, not of the server. */
function isAboutValues(cause: unknown): boolean {
  const state = sqlState(cause)
  return state.startsWith('22') || state.startsWith('54')
}
