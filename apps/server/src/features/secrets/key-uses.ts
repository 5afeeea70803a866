import type { Keyring } from '../../kernel/crypto.ts'
import type { Sql } from '../../kernel/db.ts'
import { digestColumns, type Renewal } from './digest-columns.ts'
import { nameOf } from './reseal-secrets.ts'
import { sealedColumns } from './sealed-columns.ts'
import { countDigests, countSealed, hasMacUnder, type KeyCount, someUnder } from './secrets-table.ts'

/** `unlisted`: something needs it, and it was not given. */
export type KeyStanding = 'current' | 'old' | 'unlisted'

/** What a key is still needed for. Without a number, only that there is something is known. */
export type KeyNeed = {
  readonly column: string
  readonly words: string
  readonly rows: number | null
  /** What takes the need away. */
  readonly until: Renewal | 'reseal' | 'retention'
}

export type KeyUse = {
  readonly variable: string
  readonly keyId: string
  readonly standing: KeyStanding
  /** Of an old one: the how manieth of those listed, from 1. */
  readonly position: number | null
  readonly needs: readonly KeyNeed[]
}

export type UnlistedRow = { readonly column: string; readonly key: readonly string[]; readonly keyId: string }

type Keys = Pick<Keyring, 'keyId' | 'keyIds'>

const namedMax = 20

/** Every seal key and what is sealed under it. */
export async function sealKeyUses(db: Sql, sealing: Keys): Promise<readonly KeyUse[]> {
  const found: Found[] = []
  for (const column of sealedColumns) {
    const need = { column: nameOf(column), words: column.words, until: 'reseal' } as const
    found.push({ need, counts: await countSealed(db, column) })
  }
  return usesOf('COUNTERSIGN_SEAL_KEY', sealing, found)
}

/** Every secret key and what has a digest under it that is still worth something. */
export async function secretKeyUses(db: Sql, keyring: Keys, now: Date): Promise<readonly KeyUse[]> {
  const found: Found[] = []
  for (const column of digestColumns) {
    const need = { column: nameOf(column), words: column.words, until: column.renewal }
    found.push({ need, counts: await countDigests(db, column, now) })
  }
  return usesOf('COUNTERSIGN_SECRET_KEY', keyring, found)
}

/** Every MAC secret; entries are never changed, so an older one is needed for as long as there are some with its MAC. */
export async function macKeyUses(db: Sql, current: string | undefined, older: readonly string[]): Promise<KeyUse[]> {
  const uses: KeyUse[] = []
  for (const keyId of new Set(current === undefined ? older : [current, ...older])) {
    const need = {
      column: 'trail_entries.mac',
      words: 'entries of the trail with its MAC',
      rows: null,
      until: 'retention',
    } as const
    const needs = (await hasMacUnder(db, keyId)) ? [need] : []
    const place = placeOf(keyId, current, older)
    uses.push({ variable: 'COUNTERSIGN_TRAIL_MAC_SECRET', keyId, ...place, needs })
  }
  return uses
}

/** Rows sealed under keys that were not given, the first of them by name. */
export async function unlistedRows(db: Sql, sealing: Keys): Promise<readonly UnlistedRow[]> {
  const rows: UnlistedRow[] = []
  for (const column of sealedColumns) {
    if (rows.length >= namedMax) break
    const some = await someUnder(db, column, sealing.keyIds, namedMax - rows.length)
    rows.push(...some.map(({ key, keyId }) => ({ column: nameOf(column), key, keyId })))
  }
  return rows
}

type Found = { readonly need: Omit<KeyNeed, 'rows'>; readonly counts: readonly KeyCount[] }

function usesOf(
  variable: string,
  { keyId: current, keyIds: listed }: Keys,
  found: readonly Found[],
): readonly KeyUse[] {
  const seen = found.flatMap(({ counts }) => counts.map(({ keyId }) => keyId))
  return [...new Set([...listed, ...seen])].map((keyId) => ({
    variable,
    keyId,
    ...placeOf(keyId, current, listed.slice(1)),
    needs: found.flatMap(({ need, counts }) =>
      counts.filter((count) => count.keyId === keyId).map(({ rows }) => ({ ...need, rows })),
    ),
  }))
}

function placeOf(
  keyId: string,
  current: string | undefined,
  older: readonly string[],
): Pick<KeyUse, 'standing' | 'position'> {
  if (keyId === current) return { standing: 'current', position: null }
  const at = older.indexOf(keyId)
  return at === -1 ? { standing: 'unlisted', position: null } : { standing: 'old', position: at + 1 }
}
