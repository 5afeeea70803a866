import type { NoteSigner } from '@countersign/trail'
import type { Keyring } from '../../kernel/crypto.ts'
import type { Sql } from '../../kernel/db.ts'
import { findLogKey } from './checkpoint-tables.ts'

/** What the seed of the log's key is sealed for. */
export const logKeyPurpose = 'trail-log-key'

/** The key that signs checkpoints, for what else the log says of itself. Nothing before the first checkpoint. */
export function logSigner(sealing: Pick<Keyring, 'unseal'>): (db: Sql) => Promise<NoteSigner | undefined> {
  return async (db) => {
    const key = await findLogKey(db)
    return key && { name: key.name, seed: sealing.unseal(logKeyPurpose, key.name, key.sealedSeed) }
  }
}
