import type { Bus } from '../../kernel/bus.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Db } from '../../kernel/db.ts'
import type { Log } from '../../kernel/log.ts'
import type { Notebook } from './notebook.ts'
import { listLiveReplicas } from './streams-table.ts'

type Needs = {
  readonly kernel: { readonly db: Db; readonly bus: Bus; readonly clock: Clock; readonly log: Log }
  readonly newId: () => string
  readonly notebook: Pick<Notebook, 'write'>
  readonly replicaId: string
  /** Notes those whose stream is open here and not looked up yet. */
  readonly noteArriving: (tenant: string, agentIds: ReadonlySet<string>) => void
}

/** Answers once whatever any replica has heard of these agents is in their rows. */
export type WriteDown = (tenant: string, agentIds: readonly string[]) => Promise<void>

/** A replica that does not answer in this time is going away or cannot reach the database: nobody waits for it. */
const answerMs = 2_000
const topics = { asked: 'agents.asked', written: 'agents.written' } as const

/**
 * An agent heard of for the first time is known to one replica alone until that one has written its row, a moment
 * later. Who is about to name agents has them written down first, here and on every other replica, so that one that
 * connected this moment is found like any other and connecting costs no statement of its own.
 */
export function writeDownAgents({ kernel, newId, notebook, replicaId, noteArriving }: Needs): WriteDown {
  const { db, bus, clock, log } = kernel
  const waiting = new Map<string, (replica: string) => void>()

  const writeHere = async (tenant: string, agentIds: readonly string[]): Promise<void> => {
    noteArriving(tenant, new Set(agentIds))
    await notebook.write()
  }

  const answer = async (ask: string, tenant: string, agentIds: readonly string[]): Promise<void> => {
    await writeHere(tenant, agentIds)
    const body = { ask, replica: replicaId }
    await db.inTx((tx) => bus.announce(tx, { topic: topics.written, tenant: null, body }))
  }

  bus.on(topics.asked, ({ body }) => {
    const { ask, replica, tenant, agent_ids: agentIds } = body
    if (replica === replicaId || !Array.isArray(agentIds)) return
    answer(String(ask), String(tenant), agentIds.map(String)).catch((err: unknown) => {
      log.warn({ err }, 'Agents another replica asked for could not be written down; they are within a second')
    })
  })
  bus.on(topics.written, ({ body }) => waiting.get(String(body['ask']))?.(String(body['replica'])))

  const writeElsewhere = async (tenant: string, agentIds: readonly string[]): Promise<void> => {
    const others = new Set(await listLiveReplicas(db, replicaId, clock.now()))
    if (others.size === 0) return
    const ask = newId()
    const answered = new Promise<void>((resolve) => {
      const stop = clock.after(answerMs, resolve)
      waiting.set(ask, (replica) => {
        others.delete(replica)
        if (others.size > 0) return
        stop()
        resolve()
      })
    })
    try {
      const body = { ask, replica: replicaId, tenant, agent_ids: agentIds }
      await db.inTx((tx) => bus.announce(tx, { topic: topics.asked, tenant: null, body }))
      await answered
    } finally {
      waiting.delete(ask)
    }
  }

  return async (tenant, agentIds) => {
    await Promise.all([writeHere(tenant, agentIds), writeElsewhere(tenant, agentIds)])
  }
}
