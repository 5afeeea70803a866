import type { Bus } from '../../kernel/bus.ts'
import type { Sql } from '../../kernel/db.ts'
import { findByHash, type KnownRevision } from './revisions-table.ts'

type Needs = { readonly db: Sql; readonly bus: Pick<Bus, 'on' | 'isProven'> }

/** Agents of local files report hashes nobody knows; a stranger may report many. */
const knownMax = 10_000

export type RevisionOfHash = (tenant: string, hash: string) => Promise<KnownRevision | undefined>

/** Which revision an agent runs, by the hash it reports. From memory; what is unknown is asked again after an upload. */
export function revisionOfHash({ db, bus }: Needs): RevisionOfHash {
  const known = new Map<string, KnownRevision | null>()
  let uploads = 0
  bus.on('ruleset.uploaded', ({ tenant }) => {
    uploads += 1
    // An upload of text that was there before makes the newer version the one that is meant.
    for (const key of known.keys()) if (tenant !== null && key.startsWith(tenant)) known.delete(key)
  })
  return async (tenant, hash) => {
    const key = `${tenant} ${hash}`
    const kept = bus.isProven() ? known.get(key) : undefined
    if (kept !== undefined) return kept ?? undefined
    const before = uploads
    const found = await findByHash(db, tenant, hash)
    if (known.size >= knownMax) known.clear()
    if (before === uploads) known.set(key, found ?? null)
    return found
  }
}
