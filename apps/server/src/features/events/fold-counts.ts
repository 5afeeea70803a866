import type { Clock } from '../../kernel/clock.ts'
import type { Db, Sql } from '../../kernel/db.ts'

const foldSql = `
  with taken as (
    -- By their places: joined by id the planner may read all that waits for each handful it takes away.
    delete from event_count_changes as c
     where c.ctid = any(array(select n.ctid from event_count_changes as n order by n.id limit $1))
    returning c.tenant_id, c.minute, c.environment, c.agent, c.tool, c.verdict, c.mode, c.rule, c.count
  ), summed as (
    select t.tenant_id, t.minute, t.environment, t.agent, t.tool, t.verdict, t.mode, t.rule, sum(t.count) as count
      from taken as t
     group by 1, 2, 3, 4, 5, 6, 7, 8
    having sum(t.count) <> 0
  ), cells as (
    select s.tenant_id, u.cube, l.level, date_trunc(l.unit, s.minute, 'UTC') as bucket,
           case when u.cube in (1, 4) then s.agent else -1 end as agent,
           case when u.cube in (2, 4) then s.tool else -1 end as tool,
           case when u.cube in (3, 4) then s.rule else -1 end as rule,
           s.environment, s.verdict, s.mode, sum(s.count) as count
      from summed as s
     cross join (values (0, 'minute'), (1, 'hour'), (2, 'day')) as l (level, unit)
     cross join generate_series(0, 4) as u (cube)
     -- What the others answer for: in a minute the narrow cubes are hardly smaller than the whole one, and in an hour
     -- the whole one is hardly smaller than its minutes.
     where u.cube = 0 or (u.cube < 4 and l.level > 0) or (u.cube = 4 and l.level <> 1)
     group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
  ), folded as (
    insert into event_counts as c (tenant_id, cube, level, bucket, agent, tool, rule, environment, verdict, mode, count)
    select n.tenant_id, n.cube, n.level, n.bucket, n.agent, n.tool, n.rule, n.environment, n.verdict, n.mode, n.count
      from cells as n order by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
    on conflict (tenant_id, cube, level, bucket, agent, tool, rule, environment, verdict, mode)
      do update set count = c.count + excluded.count
  )
  select count(*)::int as count from taken`

/** One statement's worth: where nothing repeats, each becomes half a dozen rows with their index entries. */
const changesPerFold = 25_000
/** Folding often costs the writers; folding seldom costs the readers, who add up what waits. */
const changesWaitingMax = 40_000
const waitMaxMs = 30_000
/** A pass that takes longer looks as if it hung. */
const passMs = 15_000

/** Folds the waiting changes into the counts, in one transaction each; one replica at a time. */
export async function foldOnce(db: Db): Promise<number> {
  return db.inTx(async (tx) => {
    const [lock] = await tx.query<{ held: boolean }>(`select pg_try_advisory_xact_lock(46) as held`)
    if (lock?.held !== true) return 0
    const [row] = await tx.query<{ count: number }>(foldSql, [changesPerFold])
    return row?.count ?? 0
  })
}

/** Periodic work: folds when much is waiting, and otherwise from time to time. */
export function foldCounts({
  db,
  clock,
}: {
  readonly db: Db
  readonly clock: Pick<Clock, 'now'>
}): () => Promise<void> {
  let lastAt = 0
  let mayHoldRoom = true
  return async () => {
    const waiting = await countWaiting(db, changesWaitingMax)
    if (waiting === 0 && mayHoldRoom) mayHoldRoom = !(await giveBackRoom(db))
    const isDue = waiting > 0 && clock.now().getTime() - lastAt >= waitMaxMs
    if (waiting < changesWaitingMax && !isDue) return
    const deadline = performance.now() + passMs
    for (;;) {
      const folded = await foldOnce(db)
      if (folded < changesPerFold) break
      // The rest waits for the next pass, which is due at once.
      if (performance.now() > deadline) return
    }
    lastAt = clock.now().getTime()
    mayHoldRoom = true
  }
}

/** Gives back the pages that much waiting left empty, unless somebody uses the table; whether that is settled. */
async function giveBackRoom(db: Sql): Promise<boolean> {
  const [row] = await db.query<{ done: boolean }>(`select give_back_count_changes() as done`)
  return row?.done === true
}

/** Up to a number: counting millions each second would keep the folding from ever ending. */
async function countWaiting(db: Sql, max: number): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    `select count(*)::int as count from (select from event_count_changes limit $1) as w`,
    [max],
  )
  return row?.count ?? 0
}
