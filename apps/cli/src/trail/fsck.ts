import {
  NotANote,
  type NoteVerifier,
  nodeOf,
  openNote,
  type RecordedHead,
  readCheckpoint,
  type TrailEntry,
  tileWidth,
  verifierText,
} from '@countersign/trail'
import type { Db, Sql } from '../../../server/src/kernel/db.ts'
import type { OtherFault, Report } from './report.ts'
import { type Inspection, type ReadOptions, readTrailDatabase } from './trail-database.ts'

/**
 * Everything the server keeps about the trail, held against what can be computed from the entries: besides what verify
 * looks at, the signed checkpoints, the tiles, entries that would never get a number, and sealed facts whose key is gone.
 */
export async function fsckTrail(db: Db, { heads, macSecrets }: ReadOptions): Promise<Report> {
  return readTrailDatabase(db, { ...(heads && { heads }), macSecrets, inspection: inspectAll() })
}

function inspectAll(): Inspection {
  const faults: OtherFault[] = []
  const tiles = startTiles()
  const keyNames = new Map<string, number>()
  let key: NoteVerifier | undefined | 'unread' = 'unread'
  return {
    heads: async (sql, above, upTo) => {
      if (key === 'unread') key = await readKey(sql, faults)
      return readCheckpoints(sql, above, upTo, key, faults)
    },
    look: (number, leaf, entry) => {
      tiles.add(0, leaf)
      for (const box of sealedIn(entry)) if (!keyNames.has(box)) keyNames.set(box, number)
    },
    finish: async (sql) => [
      ...faults,
      ...(await compareTiles(sql, tiles.roots)),
      ...(await findLost(sql)),
      ...(await findOrphans(sql, keyNames)),
    ],
  }
}

const sealedIn = (entry: TrailEntry | undefined): readonly string[] => (entry?.sealed ?? []).map(({ key }) => key)

/** The roots of full tiles, level by level, as leaves are added. */
function startTiles() {
  const roots: Uint8Array[][] = []
  const open: Uint8Array[][] = []
  const add = (level: number, hash: Uint8Array): void => {
    const tile = (open[level] ??= [])
    tile.push(hash)
    if (tile.length < tileWidth) return
    const root = nodeOf(tile)
    open[level] = []
    ;(roots[level] ??= []).push(root)
    add(level + 1, root)
  }
  return { add, roots }
}

/** Tiles are summed up when a checkpoint is signed, so there may be fewer than entries allow, but never others. */
async function compareTiles(sql: Sql, roots: readonly (readonly Uint8Array[])[]): Promise<readonly OtherFault[]> {
  const stored = await sql.query<{ level: number; index: number; root: Buffer }>(
    'select t.level, t.index, t.root from trail_tile_roots as t order by t.level, t.index',
  )
  const [signed] = await sql.query<{ size: number }>(
    'select coalesce(max(c.size), 0) as size from trail_checkpoints as c',
  )
  const faults: OtherFault[] = []
  const blame = (level: number, index: number, why: string): void => {
    faults.push({
      is: 'tile_differs',
      number: index * tileWidth ** (level + 1),
      says: `Tile ${index} on level ${level} ${why}.`,
    })
  }
  for (const { level, index, root } of stored) {
    const wanted = roots[level]?.[index]
    if (wanted === undefined) blame(level, index, 'is kept although the log does not fill it')
    else if (Buffer.compare(wanted, root) !== 0) blame(level, index, 'is kept with another root than its hashes have')
  }
  for (const [level, computed] of roots.entries()) {
    const full = Math.min(computed.length, Math.floor((signed?.size ?? 0) / tileWidth ** (level + 1)))
    const kept = new Set(stored.filter((tile) => tile.level === level).map(({ index }) => index))
    for (let index = 0; index < full; index++) if (!kept.has(index)) blame(level, index, 'is missing')
  }
  return faults
}

async function readKey(sql: Sql, faults: OtherFault[]): Promise<NoteVerifier | undefined> {
  const keys = await sql.query<{ name: string; publicKey: Buffer }>(
    'select k.name, k.public_key as "publicKey" from trail_log_keys as k order by k.made_at',
  )
  if (keys.length > 1) {
    const names = keys.map((key) => verifierText(key)).join(' and ')
    faults.push({ is: 'checkpoint_differs', number: null, says: `The log has more than one key: ${names}.` })
  }
  return keys[0]
}

async function readCheckpoints(
  sql: Sql,
  above: number,
  upTo: number,
  key: NoteVerifier | undefined,
  faults: OtherFault[],
): Promise<readonly RecordedHead[]> {
  const rows = await sql.query<{ size: number; note: string }>(
    'select c.size, c.note from trail_checkpoints as c where c.size > $1 and c.size <= $2 order by c.size',
    [above, upTo],
  )
  return rows.flatMap(({ size, note }) => {
    try {
      if (key === undefined) throw new NotANote('the log has no key')
      const checkpoint = readCheckpoint(openNote(note, key))
      if (checkpoint.origin !== key.name) throw new NotANote(`it is of another log, ${checkpoint.origin}`)
      if (checkpoint.size !== size) throw new NotANote(`it counts ${checkpoint.size} entries`)
      return [{ size, root: checkpoint.root, by: 'The signed checkpoint' }]
    } catch (cause) {
      if (!(cause instanceof NotANote)) throw cause
      const says = `The checkpoint kept for ${size} entries is not one the key of the log signed: ${cause.message}`
      faults.push({ is: 'checkpoint_differs', number: size, says })
      return []
    }
  })
}

/** Below the floor everything was numbered or never committed: an entry there without a number would never get one. */
async function findLost(sql: Sql): Promise<readonly OtherFault[]> {
  const lost = await sql.query<{ id: string }>(
    `select e.id from trail_entries as e
      where e.arrival <= coalesce((select max(h.floor) from trail_heads as h), 0)
        and not exists (select from trail_sequence as s where s.entry_id = e.id)
      order by e.arrival limit 100`,
  )
  return lost.map(({ id }) => ({
    is: 'lost',
    number: null,
    says: `The entry ${id} has no number and would never get one: its number was taken away, or it was put in behind the sequencer.`,
  }))
}

async function findOrphans(sql: Sql, names: ReadonlyMap<string, number>): Promise<readonly OtherFault[]> {
  const missing = await sql.query<{ name: string }>(
    `select n.name from unnest($1::text[]) as n (name)
      where not exists (select from trail_subject_keys as k where k.name = n.name) limit 100`,
    [[...names.keys()]],
  )
  return missing.map(({ name }) => ({
    is: 'orphan',
    number: names.get(name) ?? null,
    says: `Entry ${names.get(name) ?? '?'} has facts sealed under the key ${name}, of which there is no record: it was deleted, not erased.`,
  }))
}
