import type { Bus } from '../../kernel/bus.ts'
import type { Db } from '../../kernel/db.ts'
import type { AgentName } from './agent.ts'

type Seen = { readonly connected: Set<string>; readonly disconnected: Set<string>; readonly environments: Set<string> }

/** A console fetches anew what it shows; beyond this many it need not know whom it is about. */
const namedMax = 20

/** Tells consoles who came and went, gathered: one message a second and tenant however many there are. */
export function tellPresence({ db, bus }: { readonly db: Db; readonly bus: Pick<Bus, 'announce'> }) {
  let tenants = new Map<string, Seen>()

  const add = (names: readonly AgentName[], which: 'connected' | 'disconnected'): void => {
    for (const { tenant, environment, agentId } of names) {
      const seen = tenants.get(tenant) ?? { connected: new Set(), disconnected: new Set(), environments: new Set() }
      tenants.set(tenant, seen)
      seen[which].add(agentId)
      seen.environments.add(environment)
    }
  }

  return {
    note: (connected: readonly AgentName[], disconnected: readonly AgentName[]): void => {
      add(connected, 'connected')
      add(disconnected, 'disconnected')
    },
    tell: async (): Promise<void> => {
      if (tenants.size === 0) return
      const told = tenants
      tenants = new Map()
      await db.inTx(async (tx) => {
        for (const [tenant, seen] of told) {
          for (const which of ['connected', 'disconnected'] as const) {
            if (seen[which].size === 0) continue
            const body = {
              count: seen[which].size,
              agent_ids: [...seen[which]].slice(0, namedMax),
              environments: [...seen.environments],
            }
            await bus.announce(tx, { topic: `agent.${which}`, tenant, body })
          }
        }
      })
    },
  }
}
