import pg from 'pg'
import { Secret } from './crypto.ts'

/** Runs statements; a transaction and the pool both are one. Values are always parameters, never text. */
export type Sql = {
  /** With a name, a connection reads and plans the statement once: for those that are asked hundreds of times a second. */
  readonly query: <Row extends object>(text: string, values?: readonly unknown[], name?: string) => Promise<Row[]>
}

/** Statements inside one transaction. A function that takes it leaves the commit to its caller. */
export type Tx = Sql & {
  /** For hints only, such as waking somebody who would look a second later by himself: a crash may skip it. */
  readonly afterCommit: (hint: () => void) => void
}

export type Db = Sql & {
  /**
   * One transaction: commits when `work` resolves, undoes everything when it throws. Deadlocks and serialization
   * failures are tried again from the start, so `work` must have no effects but its statements.
   */
  readonly inTx: <Result>(work: (tx: Tx) => Promise<Result>) => Promise<Result>
  /** A connection of its own, for LISTEN and for locks held by a session. */
  readonly connect: () => Promise<pg.Client>
  /** One connection of the pool for as long as `work` runs, for cursors and COPY. */
  readonly withClient: <Result>(work: (client: pg.PoolClient) => Promise<Result>) => Promise<Result>
  readonly end: () => Promise<void>
  /** How the pool fares at this moment, for those who watch it. */
  readonly connections: () => { readonly open: number; readonly idle: number; readonly waiting: number }
  /** For threads that need connections of their own. */
  readonly address: Secret
}

type Options = {
  readonly url: string
  readonly applicationName: string
  readonly connectionsMax: number
  readonly onBrokenConnection: (cause: unknown) => void
  /** How long an answer may take before the connection counts as dead; longer than any statement may run. */
  readonly answerMs?: number
}

// Counts and sequence numbers stay below 2^53; as text they would sort and add wrongly.
const types = new pg.TypeOverrides()
types.setTypeParser(20, Number)

/** How often a transaction that lost a race is tried again before its error reaches the caller. */
const attemptsMax = 4
const lostRaces = new Set(['40001', '40P01'])

export function openDb({ url, applicationName, connectionsMax, onBrokenConnection, answerMs = 65_000 }: Options): Db {
  const connection = { connectionString: url, application_name: applicationName, types, keepAlive: true }
  const pool = new pg.Pool({
    ...connection,
    max: connectionsMax,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    statement_timeout: 60_000,
    // Our statements take milliseconds, and compiling one of them takes a hundred.
    options: '-c jit=off',
    // The server ends statements by itself; this is for a network that drops packets and tells nobody.
    query_timeout: answerMs,
    idle_in_transaction_session_timeout: 60_000,
  })
  pool.on('error', onBrokenConnection)

  const over = (client: pg.PoolClient): Sql['query'] => {
    return async <Row extends object>(text: string, values?: readonly unknown[], name?: string): Promise<Row[]> => {
      const { rows } = await client.query<Row>({
        text,
        ...(values !== undefined && { values: [...values] }),
        ...(name !== undefined && { name }),
      })
      return rows
    }
  }

  const withClient = async <Result>(work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> => {
    const client = await pool.connect()
    let broken: Error | undefined
    const onError = (cause: Error): void => {
      broken = cause
    }
    client.on('error', onError)
    try {
      return await work(client)
    } catch (cause) {
      // What is still on its way would be taken for the answer to the next question.
      if (cause instanceof Error && isDatabaseGone(cause)) broken = cause
      throw cause
    } finally {
      client.off('error', onError)
      client.release(broken)
    }
  }

  const attempt = <Result>(work: (tx: Tx) => Promise<Result>): Promise<Result> =>
    withClient(async (client) => {
      const hints: (() => void)[] = []
      let isCommitting = false
      let result: Awaited<ReturnType<typeof work>>
      await client.query('begin')
      try {
        result = await work({ query: over(client), afterCommit: (hint) => hints.push(hint) })
        isCommitting = true
        await client.query('commit')
      } catch (cause) {
        // If the connection is gone the server undoes by itself what was not committed; the first error is the one to tell.
        if (isDatabaseGone(cause)) throw isCommitting ? inDoubt(cause) : cause
        await client.query('rollback').catch(() => undefined)
        throw cause
      }
      // A hint that fails must not make a failure of what is done.
      for (const hint of hints) hint()
      return result
    })

  return {
    query: (text, values, name) =>
      withClient(async (client) => {
        try {
          return await over(client)(text, values, name)
        } catch (cause) {
          // A statement alone is its own transaction. Not even being connected is another matter: then nothing was sent.
          throw reads.test(text) ? cause : inDoubt(cause)
        }
      }),
    inTx: async (work) => {
      for (let tries = 1; ; tries += 1) {
        try {
          return await attempt(work)
        } catch (cause) {
          if (tries >= attemptsMax || !lostRaces.has(sqlState(cause))) throw cause
        }
      }
    },
    connect: async () => {
      const client = new pg.Client({ ...connection, connectionTimeoutMillis: 5_000 })
      client.on('error', onBrokenConnection)
      await client.connect()
      return client
    },
    withClient,
    end: () => pool.end(),
    connections: () => ({ open: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    address: new Secret(url),
  }
}

const reads = /^\s*(?:select|show)\b/

/** The database was lost while it was to change something: whether it did, only the database knows. */
export class InDoubt extends Error {
  override readonly name = 'InDoubt'

  constructor(cause: unknown) {
    super('The database was lost before it answered', { cause })
  }
}

/** The same error, unless it leaves open whether the change was made. An error the database sent says that it was not. */
function inDoubt(cause: unknown): unknown {
  return isDatabaseGone(cause) && !(cause instanceof pg.DatabaseError) ? new InDoubt(cause) : cause
}

/** The SQLSTATE of a database error, or nothing when it is none. */
export function sqlState(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : ''
}

export function isUniqueViolation(cause: unknown, constraint?: string): boolean {
  if (sqlState(cause) !== '23505') return false
  return (
    constraint === undefined || (cause instanceof Error && 'constraint' in cause && cause.constraint === constraint)
  )
}

const unreachable = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'ENOTFOUND',
  'EHOSTUNREACH',
  '57P01',
  '57P02',
  '57P03',
  '53300',
])

/** True when the database could not be asked, or its answer was lost, so that the caller may try again later. */
export function isDatabaseGone(cause: unknown): boolean {
  if (cause instanceof InDoubt) return true
  const state = sqlState(cause)
  if (unreachable.has(state) || state.startsWith('08')) return true
  return (
    cause instanceof Error &&
    /connection terminated|query read timeout|timeout exceeded when trying to connect|Client has encountered a connection error/i.test(
      cause.message,
    )
  )
}

/** True when it had no room to write: disk full, out of memory, configuration limit. */
export function isDatabaseFull(cause: unknown): boolean {
  return sqlState(cause).startsWith('53')
}

/** Asked to store or to look for U+0000, which no text of PostgreSQL can hold. */
export function isUnstorableText(cause: unknown): boolean {
  const state = sqlState(cause)
  return state === '22021' || state === '22P05'
}
