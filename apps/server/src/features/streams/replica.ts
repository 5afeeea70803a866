import type { Clock, Stop } from '../../kernel/clock.ts'
import type { Db, Tx } from '../../kernel/db.ts'
import type { Log } from '../../kernel/log.ts'

/** An agent whose streams were on a replica that is gone. */
export type LostAgent = { readonly tenant: string; readonly environment: string; readonly agentId: string }

type Needs = {
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
  readonly id: string
  /** Others took this replica for dead and forgot its streams: they must be written again. */
  readonly onForgotten: () => void
  readonly onLost: (agents: readonly LostAgent[]) => void
}

export type Replica = {
  /** Answers once this replica is known, before which no stream may be written down as its own. */
  readonly start: () => Promise<void>
  readonly stop: () => Promise<void>
}

const beatMs = 5_000
const goneMs = 15_000

/** Says that this process lives, and clears away what belonged to those that do not say so any more. */
export function makeReplica({ db, clock, log, id, onForgotten, onLost }: Needs): Replica {
  let isKnown = false
  let stop: Stop | undefined

  const beat = async (): Promise<void> => {
    const now = clock.now()
    const [row] = await db.query<{ isNew: boolean }>(
      `insert into replicas as r (id, started_at, seen_at) values ($1, $2, $2)
       on conflict (id) do update set seen_at = excluded.seen_at
       returning (r.xmax = 0) as "isNew"`,
      [id, now],
    )
    if (row?.isNew && isKnown) onForgotten()
    isKnown = true
    const lost = await db.inTx((tx) => clearGone(tx, new Date(now.getTime() - goneMs)))
    if (lost.length > 0) onLost(lost)
  }

  return {
    start: async () => {
      await beat()
      stop = clock.every(beatMs, () =>
        beat().catch((err: unknown) => {
          log.debug({ err }, 'This replica could not say that it lives and tries again')
        }),
      )
    },
    stop: async () => {
      stop?.()
      // If this cannot be said, the others find out by themselves.
      await db.query(`delete from replicas as r where r.id = $1`, [id]).catch(() => undefined)
    },
  }
}

/** Its streams go with the replica's row; the agents are known to have been there until it was last seen. */
async function clearGone(tx: Tx, before: Date): Promise<readonly LostAgent[]> {
  const gone = await tx.query<{ id: string }>(
    `select r.id from replicas as r where r.seen_at < $1 order by r.id for update skip locked`,
    [before],
  )
  if (gone.length === 0) return []
  const ids = gone.map((replica) => replica.id)
  const lost = await tx.query<LostAgent>(
    `update agents as a set left_at = greatest(a.left_at, l.seen_at), last_seen_at = greatest(a.last_seen_at, l.seen_at)
       from (select s.tenant_id, s.environment, s.agent_id, max(r.seen_at) as seen_at
               from agent_streams as s join replicas as r on r.id = s.replica_id
              where s.replica_id = any($1::uuid[])
              group by s.tenant_id, s.environment, s.agent_id) as l
      where a.tenant_id = l.tenant_id and a.environment = l.environment and a.agent_id = l.agent_id
      returning a.tenant_id as tenant, a.environment, a.agent_id as "agentId"`,
    [ids],
  )
  await tx.query(`delete from replicas as r where r.id = any($1::uuid[])`, [ids])
  return lost
}
