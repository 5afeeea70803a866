import type { Bus } from '../../kernel/bus.ts'
import type { Db } from '../../kernel/db.ts'
import { type AgentName, breakMsMax } from './agent.ts'
import { endPresence, markSilent, writeHistory } from './agents-table.ts'

type Needs = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly bus: Pick<Bus, 'announce'>
  readonly silentMinutes: (tenant: string) => Promise<number>
}

const namedMax = 20
/** How long the timelines of agents are kept. */
const historyDays = 90

/** Writes down who left for good and who fell silent, once whichever replica looks first; `prune` ends old timelines. */
export function sweepPresence({ db, clock, bus, silentMinutes }: Needs) {
  const sweep = async (): Promise<void> => {
    const now = clock.now()
    await db.inTx(async (tx) => {
      const left = await endPresence(tx, new Date(now.getTime() - breakMsMax))
      await writeHistory(
        tx,
        left.map(({ leftAt, ...name }) => ({ ...name, at: leftAt, kind: 'disconnected', facts: {} })),
      )
      const tenants = await tx.query<{ id: string }>(`select t.id from tenants as t order by t.id`)
      for (const { id: tenant } of tenants) {
        const before = new Date(now.getTime() - (await silentMinutes(tenant)) * 60_000)
        const silent = await markSilent(tx, tenant, before)
        if (silent.length === 0) continue
        await writeHistory(
          tx,
          silent.map((name) => ({ ...name, at: now, kind: 'silent', facts: {} })),
        )
        await bus.announce(tx, { topic: 'agent.silent', tenant, body: bodyOf(silent) })
      }
    })
  }
  const prune = async (): Promise<void> => {
    const before = new Date(clock.now().getTime() - historyDays * 86_400_000)
    await db.query(`delete from agent_history as h where h.at < $1`, [before])
  }
  return { sweep, prune }
}

function bodyOf(names: readonly AgentName[]) {
  return {
    count: names.length,
    agent_ids: names.slice(0, namedMax).map(({ agentId }) => agentId),
    environments: [...new Set(names.map(({ environment }) => environment))],
  }
}
