import type { Sql } from './db.ts'

/** A row whose digest was found under an older secret, and what it is under the current one. */
type Renewal = { readonly tenant: string; readonly id: string; readonly was: string; readonly digest: string }

/** Tables whose digests nothing but their use can renew, since what they digest is nowhere else and may have no end. */
type RenewedTable = 'agent_keys' | 'api_token_secrets'

/** Brings digests that were just presented under the current secret, so that an older one can be taken away one day. */
export function digestRenewals(db: Sql, table: RenewedTable) {
  const waiting = new Map<string, Renewal>()
  return {
    /** `current` is the digest under the current secret; the row's own when nothing is to be done. */
    note: (row: Omit<Renewal, 'digest'>, current: string | undefined): void => {
      if (current !== undefined && current !== row.was) waiting.set(row.id, { ...row, digest: current })
    },
    /** What cannot be written stays noted, since what is kept in memory is not looked up again. */
    flush: async (): Promise<void> => {
      const batch = [...waiting.values()]
      if (batch.length === 0) return
      // Unless they are other ones by now.
      await db.query(
        `update ${table} as t set digest = n.digest
           from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) as n (tenant_id, id, was, digest)
          where t.tenant_id = n.tenant_id and t.id = n.id and t.digest = n.was`,
        [
          batch.map(({ tenant }) => tenant),
          batch.map(({ id }) => id),
          batch.map(({ was }) => was),
          batch.map(({ digest }) => digest),
        ],
      )
      for (const { id } of batch) waiting.delete(id)
    },
  }
}
