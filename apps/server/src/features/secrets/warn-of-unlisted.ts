import type { Keyring } from '../../kernel/crypto.ts'
import type { Sql } from '../../kernel/db.ts'
import type { Log } from '../../kernel/log.ts'
import { unlistedRows } from './key-uses.ts'

type Needs = { readonly db: Sql; readonly sealing: Pick<Keyring, 'keyId' | 'keyIds'>; readonly log: Pick<Log, 'warn'> }

/** Tells at a start what otherwise only those would find who need it: an old seal key was taken out too early. */
export async function warnOfUnlisted({ db, sealing, log }: Needs): Promise<void> {
  const rows = await unlistedRows(db, sealing)
  if (rows.length === 0) return
  const keyIds = [...new Set(rows.map(({ keyId }) => keyId))]
  const columns = [...new Set(rows.map(({ column }) => column))]
  log.warn(
    { keyIds, columns },
    'Something is sealed under a key that this server was not given, and cannot be opened. List that key in COUNTERSIGN_OLD_SEAL_KEYS; countersign secrets reseal says which rows it is',
  )
}
