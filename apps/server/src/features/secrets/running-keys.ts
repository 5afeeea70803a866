import type { ProcessMark } from '../../kernel/bus.ts'
import type { Keyring } from '../../kernel/crypto.ts'
import type { Sql } from '../../kernel/db.ts'

type Keys = { readonly keyring: Pick<Keyring, 'keyId'>; readonly sealing: Pick<Keyring, 'keyId'> }

const kinds = { COUNTERSIGN_SECRET_KEY: 54, COUNTERSIGN_SEAL_KEY: 55 } as const
type MarkedKey = keyof typeof kinds

/** What a running server shows of its current keys: no more than their ids, which stand beside everything they made. */
export function marksOfKeys({ keyring, sealing }: Keys): readonly ProcessMark[] {
  return [
    [kinds.COUNTERSIGN_SECRET_KEY, signed(keyring.keyId)],
    [kinds.COUNTERSIGN_SEAL_KEY, signed(sealing.keyId)],
  ]
}

/** The ids of current keys that running servers have and that are not this one. */
export async function otherRunningKeys(db: Sql, name: MarkedKey, keyId: string): Promise<readonly string[]> {
  const rows = await db.query<{ id: string }>(
    `select distinct lpad(to_hex(l.objid::bigint), 8, '0') as id
       from pg_locks as l join pg_database as d on d.oid = l.database
      where l.locktype = 'advisory' and l.objsubid = 2 and l.classid::bigint = $1 and d.datname = current_database()
        and l.objid::bigint <> $2
      order by 1`,
    [kinds[name], Number.parseInt(keyId, 16)],
  )
  return rows.map(({ id }) => id)
}

/** PostgreSQL takes the numbers of a lock as signed, and shows them unsigned. */
const signed = (keyId: string): number => Number.parseInt(keyId, 16) | 0
