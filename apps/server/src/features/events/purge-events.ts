import type { Clock } from '../../kernel/clock.ts'
import type { Db, Sql } from '../../kernel/db.ts'
import type { Person, RequestFacts } from '../roles/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import { foldOnce } from './fold-counts.ts'

const dayMs = 86_400_000
/** Small enough that no ingest waits long behind one. */
const eventsPerStep = 10_000

/** Removes events that arrived before the cutoff, with their keys, and takes them out of the counts. */
const removeSql = `
  with old as (
    select e.tenant_id, e.at, e.arrival, e.received_at from events as e
     where e.tenant_id = $1 and e.received_at < $2 order by e.at, e.arrival limit $3
  ), removed as (
    delete from events as e using old as o
     where e.tenant_id = $1 and e.received_at < $2 and o.at = e.at and o.arrival = e.arrival
    returning e.id, e.at, e.environment, e.agent, e.tool, e.verdict, e.mode, e.rule
  ), forgotten as (
    delete from event_keys as k using removed as r where k.tenant_id = $1 and k.id = r.id
  ), counted as (
    insert into event_count_changes (tenant_id, minute, environment, agent, tool, verdict, mode, rule, count)
    select $1, date_trunc('minute', r.at, 'UTC'), r.environment, r.agent, r.tool, r.verdict, r.mode, r.rule, -count(*)
      from removed as r group by 2, 3, 4, 5, 6, 7, 8
  )
  select count(*)::int as count from removed`

type Purged = { readonly deletedCount: number; readonly cutoff: Date }

async function removeBefore(db: Db, tenant: string, cutoff: Date): Promise<number> {
  let total = 0
  for (;;) {
    const [row] = await db.query<{ count: number }>(removeSql, [tenant, cutoff, eventsPerStep])
    total += row?.count ?? 0
    if ((row?.count ?? 0) < eventsPerStep) break
  }
  await db.query(`delete from skill_scans as s where s.tenant_id = $1 and s.received_at < $2`, [tenant, cutoff])
  if (total > 0) {
    await foldOnce(db)
    await db.query(`delete from event_counts as c where c.tenant_id = $1 and c.count = 0`, [tenant])
  }
  return total
}

type PurgeNeeds = { readonly db: Db; readonly clock: Pick<Clock, 'now'>; readonly recordAct: RecordAct }

/** A person removes old events by hand. Written into the trail before anything is gone. */
export function purgeEvents({ db, clock, recordAct }: PurgeNeeds) {
  return async (who: Person, olderThanDays: number, facts: RequestFacts): Promise<Purged> => {
    const cutoff = new Date(clock.now().getTime() - olderThanDays * dayMs)
    await db.inTx((tx) =>
      recordAct(tx, {
        tenant: who.tenant,
        act: 'events.purged',
        ...actorOf(who),
        subject: { kind: 'events', id: 'events' },
        request: facts,
        details: { older_than_days: olderThanDays, cutoff: cutoff.toISOString() },
      }),
    )
    return { deletedCount: await removeBefore(db, who.tenant, cutoff), cutoff }
  }
}

type RetentionNeeds = {
  readonly db: Db
  readonly clock: Pick<Clock, 'now'>
  /** How many days a tenant keeps its events; nothing when it keeps all. */
  readonly daysKept: (tenant: string) => Promise<number | null>
}

/** Periodic work: removes what is older than each tenant keeps, and the partitions that are empty and over. */
export function expireEvents({ db, clock, daysKept }: RetentionNeeds) {
  return async (): Promise<void> => {
    const now = clock.now()
    const tenants = await db.query<{ id: string }>(`select t.id from tenants as t order by t.id`)
    for (const { id } of tenants) {
      const days = await daysKept(id)
      if (days !== null) await removeBefore(db, id, new Date(now.getTime() - days * dayMs))
    }
    await dropEmptyPartitions(db, now)
  }
}

/** Months that ended a day ago or longer and hold nothing. */
async function dropEmptyPartitions(db: Sql, now: Date): Promise<void> {
  const rows = await db.query<{ month: Date }>(
    `select to_timestamp(substring(p.relname from 8), 'YYYY_MM') as month
       from pg_inherits as i join pg_class as p on p.oid = i.inhrelid
      where i.inhparent = 'events'::regclass and p.relname ~ '^events_\\d{4}_\\d{2}$'
        and (to_timestamp(substring(p.relname from 8), 'YYYY_MM') at time zone current_setting('TimeZone')) at time zone 'UTC'
            + interval '1 month 1 day' < $1`,
    [now],
  )
  for (const { month } of rows) {
    const [row] = await db.query<{ used: boolean }>(
      `select exists (
         select from events as e where e.received_at >= date_trunc('month', $1::timestamptz, 'UTC')
            and e.received_at < date_trunc('month', $1::timestamptz, 'UTC') + interval '1 month') as used`,
      [month],
    )
    if (row?.used === false) await db.query(`select drop_event_partition($1)`, [month])
  }
}
