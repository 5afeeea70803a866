import type { PgBoss } from 'pg-boss'
import type { Clock } from './clock.ts'
import type { Sql } from './db.ts'
import type { Log } from './log.ts'

/** Where pg-boss keeps its tables. */
export const jobsSchema = 'pgboss'

/** A queue is a value that a feature exports: who enqueues and who works share its name and the type of its payload. */
export type Queue<Payload extends object> = {
  readonly name: string
  /** How often a failed job is tried again, and how long to wait before the first time; the wait doubles. */
  readonly retries: number
  readonly retrySeconds: number
  /** A run that takes longer counts as failed. */
  readonly runSecondsMax: number
  /** At most one job waits and one runs: for sweeps, where a second one would find nothing to do. */
  readonly isSweep: boolean
  /** Only the type: what a job carries. */
  readonly payload?: Payload
}

export type Run = {
  readonly id: string
  readonly attempt: number
  /** Aborted when the run took too long; the job is then tried again. */
  readonly signal: AbortSignal
}
export type Handle<Payload> = (payload: Payload, run: Run) => Promise<void>

/** What all replicas together know about a queue. */
export type QueueHealth = {
  readonly queue: string
  readonly lastSuccessAt: Date | null
  readonly lastFailureAt: Date | null
  readonly consecutiveFailures: number
}

export type Jobs = {
  /** Enqueues in the caller's transaction: the job exists if that commits. */
  readonly enqueue: <Payload extends object>(
    tx: Sql,
    queue: Queue<Payload>,
    payload: Payload,
    options?: { readonly startAfterSeconds?: number },
  ) => Promise<void>
  /** Says who works a queue. Before `start`. */
  readonly work: <Payload extends object>(queue: Queue<Payload>, handle: Handle<Payload>) => void
  /** Enqueues by the clock, in five cron fields, UTC; a time missed while nobody ran is made up for once. Before `start`. */
  readonly schedule: <Payload extends object>(queue: Queue<Payload>, cron: string, payload: Payload) => void
  readonly start: () => Promise<void>
  /** Takes no more jobs and waits for those that run. */
  readonly stop: () => Promise<void>
  readonly health: () => Promise<readonly QueueHealth[]>
}

type Needs = {
  /** The restricted role; the owner made the tables when it migrated. */
  readonly url: string
  readonly clock: Pick<Clock, 'now'>
  readonly log: Pick<Log, 'warn' | 'error'>
}

/** New jobs are told of at once; what is to be tried again or comes due is found by looking. */
const polling = { includeMetadata: true, notifyPollingIntervalSeconds: 2, pollingIntervalSeconds: 2 } as const

const usual = { retries: 5, retrySeconds: 5, runSecondsMax: 300, isSweep: false }

export function defineQueue<Payload extends object>(
  name: string,
  differently: Partial<Omit<Queue<Payload>, 'name' | 'payload'>> = {},
): Queue<Payload> {
  return { name, ...usual, ...differently }
}

/** Jobs on PostgreSQL: for outsiders, partitions, retention. Nothing that a stream or the trail waits for. */
export function createJobs({ url, clock, log }: Needs): Jobs {
  const works: { readonly queue: Queue<object>; readonly handle: Handle<object> }[] = []
  const schedules: { readonly queue: Queue<object>; readonly cron: string; readonly payload: object }[] = []
  const made = new Map<string, Promise<void>>()
  let started: Promise<PgBoss> | undefined
  let hasStopped = false

  /** Started by whoever needs it first; a start that failed is tried again by the next. */
  const boss = (): Promise<PgBoss> => {
    if (hasStopped) throw new Error('Jobs were stopped; nothing can be enqueued any more')
    started ??= open(url, works.length > 0, log).catch((cause: unknown) => {
      started = undefined
      throw cause
    })
    return started
  }

  /** The queue's row must exist before the first job. */
  const ready = async (queue: Queue<object>): Promise<PgBoss> => {
    const open = await boss()
    const making = made.get(queue.name) ?? makeQueue(open, queue)
    made.set(queue.name, making)
    await making.catch((cause: unknown) => {
      made.delete(queue.name)
      throw cause
    })
    return open
  }

  const record = async (queue: string, error: unknown): Promise<void> => {
    const db = (await boss()).getDb()
    const text = error === undefined ? success : failure
    await db.executeSql(text, [queue, clock.now()]).catch((cause: unknown) => {
      // The job has had its result; a lost line of its statistics must not turn that around.
      log.warn({ queue, cause: String(cause) }, 'The result of a job could not be counted')
    })
  }

  return {
    enqueue: async (tx, queue, payload, { startAfterSeconds = 0 } = {}) => {
      const open = await ready(queue)
      const db = { executeSql: async (text: string, values?: unknown[]) => ({ rows: await tx.query(text, values) }) }
      await open.send(queue.name, payload, { db, ...(startAfterSeconds > 0 ? { startAfter: startAfterSeconds } : {}) })
    },
    work: (queue, handle) => {
      // Whoever enqueues has the same queue value, so what arrives is a Payload.
      works.push({ queue, handle: (payload, run) => handle(payload as never, run) })
    },
    schedule: (queue, cron, payload) => void schedules.push({ queue, cron, payload }),
    start: async () => {
      for (const { queue, cron, payload } of schedules) {
        await (await ready(queue)).schedule(queue.name, cron, payload, { tz: 'UTC', missed: 'once' })
      }
      for (const { queue, handle } of works) {
        await (await ready(queue)).work<object>(queue.name, polling, async (jobs) => {
          for (const job of jobs) {
            const run: Run = { id: job.id, attempt: job.retryCount + 1, signal: job.signal }
            try {
              await handle(job.data, run)
            } catch (cause) {
              const fields = { queue: queue.name, job: job.id, attempt: run.attempt, cause: String(cause) }
              if (run.attempt > queue.retries) log.error(fields, 'A job failed for good')
              else log.warn(fields, 'A job failed and will be tried again')
              await record(queue.name, cause)
              throw cause
            }
            await record(queue.name, undefined)
          }
        })
      }
    },
    stop: async () => {
      const open = await started
      await open?.stop({ graceful: true, timeout: 20_000 })
      hasStopped = true
    },
    health: async () => {
      const { rows } = await (await boss()).getDb().executeSql(
        `select h.queue, h.last_success_at as "lastSuccessAt", h.last_failure_at as "lastFailureAt",
                h.consecutive_failures as "consecutiveFailures"
           from job_health as h order by h.queue`,
      )
      return rows
    },
  }
}

async function open(url: string, isWorker: boolean, log: Needs['log']): Promise<PgBoss> {
  const { PgBoss } = await import('pg-boss')
  const boss = new PgBoss({
    connectionString: url,
    application_name: 'countersign jobs',
    schema: jobsSchema,
    max: 4,
    // The tables belong to the owner, and so does every change of them.
    migrate: false,
    createSchema: false,
    reindex: false,
    supervise: isWorker,
    schedule: isWorker,
    useListenNotify: isWorker,
  })
  boss.on('error', (cause) => log.warn({ cause: String(cause) }, 'The job queue had an error; it goes on'))
  boss.on('warning', (warning) => log.warn({ cause: warning.message }, 'The job queue has a warning'))
  await boss.start()
  return boss
}

async function makeQueue(boss: PgBoss, queue: Queue<object>): Promise<void> {
  const options = {
    retryLimit: queue.retries,
    retryDelay: queue.retrySeconds,
    retryBackoff: queue.retrySeconds > 0,
    expireInSeconds: queue.runSecondsMax,
    deleteAfterSeconds: 86_400,
    notify: true,
  }
  await boss.createQueue(queue.name, { ...options, policy: queue.isSweep ? 'stately' : 'standard' })
  // The queue may be older than these options.
  await boss.updateQueue(queue.name, options)
}

const success = `
  insert into job_health as h (queue, last_success_at, consecutive_failures) values ($1, $2, 0)
  on conflict (queue) do update set last_success_at = excluded.last_success_at, consecutive_failures = 0`

const failure = `
  insert into job_health as h (queue, last_failure_at, consecutive_failures) values ($1, $2, 1)
  on conflict (queue) do update
    set last_failure_at = excluded.last_failure_at, consecutive_failures = h.consecutive_failures + 1`
