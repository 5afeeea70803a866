import type { Message } from '../../kernel/bus.ts'
import type { Sql } from '../../kernel/db.ts'

/** More than this is not worth telling one by one. */
const missedMax = 500
/**
 * Ids are given out before commits: what committed late has a lower id than what a client saw already. Nothing that is
 * announced stays uncommitted this long.
 */
const overlap = '10 seconds'

/**
 * Where the outbox is now, and what was said in a tenant since an id. `missed` is undefined when that cannot be told: no
 * id was given, it is too old, or it is of another database.
 */
export async function readOutbox(
  db: Sql,
  tenant: string,
  since: number | undefined,
): Promise<{ readonly newest: number; readonly missed: readonly Message[] | undefined }> {
  const [ends] = await db.query<{ newest: number; last: Date | null }>(
    `select coalesce((select max(o.id) from outbox as o), 0) as newest,
            (select o.at from outbox as o where o.id = $1) as last`,
    [since ?? null],
  )
  const newest = ends?.newest ?? 0
  if (since === undefined) return { newest, missed: undefined }
  // Nothing was ever said, or all of it was swept away: with nothing newer, nothing was missed.
  if (since === newest && !ends?.last) return { newest, missed: [] }
  if (since > newest || !ends?.last) return { newest, missed: undefined }
  const rows = await db.query<Message>(
    `select o.id, o.topic, o.tenant_id as tenant, o.at, o.body from outbox as o
      where o.tenant_id = $1 and o.id <> $2 and (o.id > $2 or o.at > $3::timestamptz - interval '${overlap}')
      order by o.id limit $4`,
    [tenant, since, ends.last, missedMax + 1],
  )
  return { newest, missed: rows.length > missedMax ? undefined : rows }
}
