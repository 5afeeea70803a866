import type { Clock } from '../../kernel/clock.ts'
import type { Sql } from '../../kernel/db.ts'

export type StreamsElsewhere = {
  /** Waits until the counts are recent. Keeps the older ones when the database cannot say. */
  readonly know: () => Promise<void>
  readonly ofKey: (keyId: string) => number
  readonly ofTenant: (tenant: string) => number
}

type Needs = { readonly db: Sql; readonly clock: Pick<Clock, 'now'>; readonly replicaId: string }
type Row = { readonly tenant: string; readonly keyId: string; readonly count: number }

/** Between two looks others may open some more than the limit; each look costs as much as there are streams. */
const recentMs = 2_000
/** A replica that has not said that it lives for longer than its beat is not believed to hold streams: its agents are on their way here. */
const livingMs = 7_000

/** How many agent streams the other replicas hold, so that limits are of the installation and not of a process. */
export function streamsElsewhere({ db, clock, replicaId }: Needs): StreamsElsewhere {
  let keys: ReadonlyMap<string, number> = new Map()
  let tenants: ReadonlyMap<string, number> = new Map()
  let lookedAt = Number.NEGATIVE_INFINITY
  let looking: Promise<void> | undefined

  const look = async (): Promise<void> => {
    const now = clock.now().getTime()
    const rows = await db.query<Row>(
      `select s.tenant_id as tenant, s.key_id as "keyId", count(*) as count
         from agent_streams as s join replicas as r on r.id = s.replica_id
        where s.replica_id <> $1 and r.seen_at > $2
        group by s.tenant_id, s.key_id`,
      [replicaId, new Date(now - livingMs)],
    )
    keys = new Map(rows.map(({ keyId, count }) => [keyId, count]))
    const sums = new Map<string, number>()
    for (const { tenant, count } of rows) sums.set(tenant, (sums.get(tenant) ?? 0) + count)
    tenants = sums
    lookedAt = now
  }

  return {
    know: async () => {
      if (clock.now().getTime() - lookedAt < recentMs) return
      looking ??= look().finally(() => {
        looking = undefined
      })
      // Whoever holds a good key is not turned away because nobody can count: the limit of this replica holds still.
      await looking.catch(() => undefined)
    },
    ofKey: (keyId) => keys.get(keyId) ?? 0,
    ofTenant: (tenant) => tenants.get(tenant) ?? 0,
  }
}
