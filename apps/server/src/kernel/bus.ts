import type { Clock, Stop } from './clock.ts'
import type { Db, Tx } from './db.ts'
import type { Log } from './log.ts'

/** Something that happened, told to every replica after its transaction has committed. Ids and small facts only. */
export type Message = {
  readonly id: number
  readonly topic: string
  readonly tenant: string | null
  readonly at: Date
  readonly body: Readonly<Record<string, unknown>>
}

export type Announcement = {
  readonly topic: string
  readonly tenant: string | null
  readonly body: Readonly<Record<string, unknown>>
}

/** A second, faster way to tell other replicas that rows wait for them. Losing it loses nothing. */
export type Relay = {
  readonly isAlive: () => boolean
  readonly tell: (id: number) => void
  readonly start: (onId: (id: number) => void) => Promise<void>
  readonly stop: () => Promise<void>
}

export type Bus = {
  /** Writes the message in the caller's transaction; nobody hears of it unless that commits. */
  readonly announce: (tx: Tx, announcement: Announcement) => Promise<void>
  /** Every message once on every replica, this one included, in the order it learns of them. `*` hears all. */
  readonly on: (topic: string, hear: (message: Message) => void) => Stop
  /** False while messages of other replicas may be late: caches that depend on them must not be used. */
  readonly isProven: () => boolean
  readonly start: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** Two numbers of an advisory lock that the listening connection shares, and by which others see what this process is. */
export type ProcessMark = readonly [kind: number, value: number]

type Needs = {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
  readonly relay?: Relay | undefined
  readonly marks?: readonly ProcessMark[]
}

const channel = 'countersign'
const heartbeatMs = 1_000
/** Three heartbeats: one may be late, three mean that the connection is gone although nobody told us. */
const provenMs = 3_000
const batchMax = 1_000

type Row = { id: number; topic: string; tenant: string | null; at: Date; body: Record<string, unknown>; txid: string }

/**
 * Tells replicas of each other's commits: an outbox row and a NOTIFY of its id in the same transaction. A sweep each
 * second reads what a lost notification would have told, so that nothing is ever missed, only late.
 */
export function makeBus({ db, clock, log, relay, marks = [] }: Needs): Bus {
  const hearers = new Map<string, Set<(message: Message) => void>>()
  const seen = new Map<number, { readonly at: number; readonly txid: bigint }>()
  let listener: Awaited<ReturnType<Db['connect']>> | undefined
  let lastBeat = 0
  let floor = 0n
  let stops: Stop[] = []
  let isStopped = true
  let wanted = new Set<number>()
  let reading: Promise<void> | undefined

  const tell = (row: Row): void => {
    if (seen.has(row.id)) return
    seen.set(row.id, { at: clock.now().getTime(), txid: BigInt(row.txid) })
    const message: Message = { id: row.id, topic: row.topic, tenant: row.tenant, at: row.at, body: row.body }
    for (const hear of [...(hearers.get(row.topic) ?? []), ...(hearers.get('*') ?? [])]) {
      try {
        hear(message)
      } catch (err) {
        log.error({ err, topic: row.topic }, 'A hearer of the bus failed')
      }
    }
  }

  const columns = `o.id, o.topic, o.tenant_id as tenant, o.at, o.body, o.txid::text as txid`

  const readWanted = async (): Promise<void> => {
    while (wanted.size > 0) {
      const ids = [...wanted]
      wanted = new Set()
      const rows = await db.query<Row>(`select ${columns} from outbox as o where o.id = any($1) order by o.id`, [ids])
      for (const row of rows) tell(row)
    }
  }

  const want = (id: number): void => {
    if (seen.has(id)) return
    wanted.add(id)
    reading ??= readWanted()
      .catch((err: unknown) => {
        // The sweep finds them again.
        log.warn({ err }, 'Announcements could not be read and will be swept up')
      })
      .finally(() => {
        reading = undefined
        if (wanted.size > 0) want([...wanted][0] ?? 0)
      })
  }

  /**
   * Rows of transactions that were not finished at the last sweep, or began after it. Going by transaction and not by
   * id finds those that committed late with a low id.
   */
  const sweep = async (): Promise<void> => {
    const horizon = await readHorizon()
    for (;;) {
      const rows = await db.query<Row>(
        `select ${columns} from outbox as o where o.txid >= $1::text::xid8 and not (o.id = any($2)) order by o.id limit $3`,
        [String(floor), [...seen.keys()], batchMax],
      )
      for (const row of rows) tell(row)
      if (rows.length < batchMax) break
    }
    floor = horizon
    const old = clock.now().getTime() - 30_000
    // Both must hold: a row above the floor would be read again, and a notification may still be on its way.
    for (const [id, { at, txid }] of seen) if (txid < floor && at < old) seen.delete(id)
  }

  /** Every transaction below it has ended, so its rows are visible to whoever looks from now on. */
  const readHorizon = async (): Promise<bigint> => {
    const [row] = await db.query<{ horizon: string }>(`select pg_snapshot_xmin(pg_current_snapshot())::text as horizon`)
    return BigInt(row?.horizon ?? '0')
  }

  const listen = async (): Promise<void> => {
    const client = await db.connect()
    client.on('notification', ({ payload = '' }) => {
      if (payload === '') return
      if (payload.startsWith('beat')) {
        if (payload === `beat ${beatName}`) lastBeat = clock.now().getTime()
        return
      }
      for (const id of payload.split(',')) want(Number(id))
    })
    client.on('end', () => {
      if (listener === client) {
        listener = undefined
        lastBeat = 0
      }
    })
    await client.query(`listen ${channel}`)
    // Gone with the connection, so nobody has to clean up after a process that was killed.
    for (const mark of marks) await client.query('select pg_try_advisory_lock_shared($1, $2)', [...mark])
    listener = client
    await beat()
  }

  const beatName = globalThis.crypto.randomUUID()
  const beat = async (): Promise<void> => {
    if (!listener) {
      await listen()
      return
    }
    await listener.query(`select pg_notify($1, $2)`, [channel, `beat ${beatName}`])
  }

  const guarded = (work: () => Promise<void>) => async (): Promise<void> => {
    try {
      await work()
    } catch (err) {
      if (!isStopped) log.debug({ err }, 'The bus could not reach the database and tries again')
    }
  }

  return {
    announce: async (tx, { topic, tenant, body }) => {
      const byRelay = relay?.isAlive() === true
      const at = clock.now()
      const [row] = await tx.query<{ id: number; txid: string }>(
        `with written as (
           insert into outbox (topic, tenant_id, at, body) values ($1, $2, $3, $4) returning id, txid
         )
         select w.id, w.txid::text as txid, case when $5 then pg_notify($6, w.id::text) end from written as w`,
        [topic, tenant, at, JSON.stringify(body), !byRelay, channel],
      )
      if (!row) return
      tx.afterCommit(() => {
        // Here at once: whoever revoked something on this replica finds it revoked when he hears that it is.
        tell({ id: row.id, txid: row.txid, topic, tenant, at, body: { ...body } })
        if (byRelay) relay.tell(row.id)
      })
    },
    on: (topic, hear) => {
      const set = hearers.get(topic) ?? new Set()
      hearers.set(topic, set)
      set.add(hear)
      return () => set.delete(hear)
    },
    isProven: () => listener !== undefined && clock.now().getTime() - lastBeat < provenMs,
    start: async () => {
      isStopped = false
      floor = await readHorizon()
      await listen()
      await relay?.start(want)
      stops = [clock.every(heartbeatMs, guarded(beat)), clock.every(heartbeatMs, guarded(sweep))]
    },
    stop: async () => {
      isStopped = true
      for (const stop of stops) stop()
      await relay?.stop()
      await reading
      const client = listener
      listener = undefined
      await client?.end().catch(() => undefined)
    },
  }
}
