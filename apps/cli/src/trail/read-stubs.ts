import { canonicalJson, NotAStub, type NoteVerifier, readEntry, readStub, type SignedStub } from '@countersign/trail'
import type { Sql } from '../../../server/src/kernel/db.ts'
import type { OtherFault } from './report.ts'

type Stubs = {
  readonly faults: readonly OtherFault[]
  /** The stub whose span begins with this number, or reaches over where reading began. */
  readonly beginning: (number: number, start: number) => SignedStub | undefined
}

type Row = {
  readonly first: number
  readonly beyond: number
  readonly stub: unknown
  readonly bytes: Uint8Array | null
}

/** What the database says was removed, held against the entries that say so. */
export async function readStubs(sql: Sql): Promise<Stubs> {
  const rows = await sql.query<Row & { readonly newest: Date; readonly removedAt: Date }>(
    `select r.first_number as first, r.beyond, r.stub, e.bytes, r.newest_at as newest, r.removed_at as "removedAt"
      from trail_removals as r left join trail_entries as e on e.id = r.stub_id
      where r.removed_at is not null order by r.first_number`,
  )
  const faults: OtherFault[] = []
  const stubs = new Map<number, SignedStub>()
  const newest = Math.max(0, ...rows.map((row) => row.newest.getTime()))
  for (const row of rows) {
    const why = faultOf(row, newest >= row.removedAt.getTime())
    const where = `The stub of the entries ${row.first} to ${row.beyond - 1}`
    if (why !== undefined) faults.push({ is: 'stub_differs', number: row.first, says: `${where} ${why}` })
    const stub = readOr(row.stub)
    if (stub) stubs.set(row.first, stub)
  }
  const over = (number: number): SignedStub | undefined =>
    [...stubs.values()].find(({ first, last }) => first < number && last >= number)
  return { faults, beginning: (number, start) => stubs.get(number) ?? (number === start ? over(number) : undefined) }
}

/** Its entry may have been removed after its own time, and only then. */
function faultOf({ first, beyond, stub, bytes }: Row, mayBeRemoved: boolean): string | undefined {
  const read = readOr(stub)
  if (!read) return 'cannot be read: it was changed.'
  if (read.first !== first || read.last !== beyond - 1) return 'speaks of other entries than were removed.'
  if (bytes === null) return mayBeRemoved ? undefined : 'is in no entry of the log.'
  const said = readEntry(bytes).details['stub']
  return said !== undefined && canonicalJson(said) === canonicalJson(read)
    ? undefined
    : 'is not the one its entry tells.'
}

function readOr(stub: unknown): SignedStub | undefined {
  try {
    return readStub(stub)
  } catch (cause) {
    if (cause instanceof NotAStub) return undefined
    throw cause
  }
}

/** Leaves without entries, of which nothing says that they were removed after their time. */
export async function findUntold(sql: Sql): Promise<readonly OtherFault[]> {
  const untold = await sql.query<{ index: number }>(
    `select t.index from trail_removed_tiles as t
      where not exists (select from trail_removals as r where r.id = t.removal_id and r.removed_at is not null
        and t.index * 256 >= r.first_number and t.index * 256 < r.beyond)
      order by t.index limit 100`,
  )
  return untold.map(({ index }) => ({
    is: 'stub_differs',
    number: index * 256,
    says: `The entries ${index * 256} to ${index * 256 + 255} were taken out and no stub says so.`,
  }))
}

export async function readLogKey(sql: Sql): Promise<NoteVerifier | undefined> {
  const [key] = await sql.query<NoteVerifier>(
    'select k.name, k.public_key as "publicKey" from trail_log_keys as k order by k.made_at limit 1',
  )
  return key
}
