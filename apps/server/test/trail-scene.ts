import type { RecordedEntry, RecordedHead } from '@countersign/trail'
import pg from 'pg'
import { makeSequencer, recordAct } from '../src/features/trail/index.ts'
import { testClock } from '../src/kernel/clock.ts'
import { makeKeyring } from '../src/kernel/crypto.ts'
import { type Db, openDb } from '../src/kernel/db.ts'
import { idMaker } from '../src/kernel/ids.ts'
import { type TestDatabase, testDatabase } from './database.ts'

/** A database of its own with everything that writes the trail, and a superuser to attack it with. */
export async function openTrail({ startsAt = '2026-02-28T10:00:00.123Z' } = {}) {
  const database = await testDatabase()
  const clock = testClock(startsAt)
  const keyring = makeKeyring(['only for tests, only for tests, only for tests'])
  const newId = idMaker(clock.now)
  const opened: Db[] = []
  const connect = (): Db => {
    const options = { url: database.url, applicationName: 'trail test', connectionsMax: 10 }
    const db = openDb({ ...options, onBrokenConnection: () => undefined })
    opened.push(db)
    return db
  }
  const db = connect()
  return {
    database,
    db,
    connect,
    clock,
    keyring,
    record: recordAct({ clock, newId, keyring }),
    sequence: makeSequencer({ db, clock }),
    asSuperuser: (text: string, values?: unknown[]) => asSuperuser(database, text, values),
    close: async () => {
      for (const one of opened) await one.end()
      await database.drop()
    },
  }
}

export type TrailScene = Awaited<ReturnType<typeof openTrail>>

async function asSuperuser(database: TestDatabase, text: string, values?: unknown[]): Promise<void> {
  const superuser = new pg.Client({ connectionString: database.superuserUrl })
  await superuser.connect()
  try {
    await superuser.query(text, values)
  } finally {
    await superuser.end()
  }
}

export const tenant = '0190f5a0-0000-7000-9000-000000000001'

/** A plain act; the number tells it from others. */
export const keyCreated = (n: number) =>
  ({ tenant, act: 'key.created', actor: { kind: 'person', id: 'p1' }, subject: { kind: 'key', id: `k${n}` } }) as const

export function readLog(db: Db): Promise<RecordedEntry[]> {
  return db.query<RecordedEntry>(
    `select s.number, e.bytes, e.leaf_hash as "leafHash"
      from trail_sequence as s join trail_entries as e on e.id = s.entry_id order by s.number`,
  )
}

export function readHeads(db: Db): Promise<RecordedHead[]> {
  return db.query<RecordedHead>('select h.size, h.root from trail_heads as h order by h.size')
}
