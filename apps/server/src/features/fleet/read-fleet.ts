import type { Sql } from '../../kernel/db.ts'
import {
  countFleet,
  type FleetAsk,
  type FleetCounts,
  type FleetFilter,
  type FleetPage,
  type FleetRow,
  type LiveRollout,
  listFleet,
  listFollowedPlaces,
} from './fleet-table.ts'

/** What is live, as `features/rollouts` keeps it in memory. */
export type CurrentRolloutOf = (
  tenant: string,
  environment: string,
  ruleset: string,
) => Promise<
  | {
      readonly version: number
      readonly rolledOutAt: Date
      readonly renderings: Readonly<Record<'ruleset' | 'contract_bundle', { readonly hash: string }>>
    }
  | undefined
>

type Needs = {
  readonly db: Sql
  readonly clock: { readonly now: () => Date }
  readonly currentRollout: CurrentRolloutOf
  readonly silentMinutes: (tenant: string) => Promise<number>
}

export type FleetReader = {
  readonly page: (tenant: string, filter: FleetFilter, page: FleetPage) => Promise<readonly FleetRow[]>
  /** Of all that fit the filter, whatever their status. */
  readonly counts: (tenant: string, filter: FleetFilter) => Promise<FleetCounts>
  readonly one: (tenant: string, environment: string, agentId: string) => Promise<FleetRow | undefined>
}

/** Agents with their status, which depends on what is live for each of them at this moment. */
export function readFleet({ db, clock, currentRollout, silentMinutes }: Needs): FleetReader {
  const ask = async (tenant: string, filter: FleetFilter): Promise<FleetAsk> => {
    const [places, minutes] = await Promise.all([listFollowedPlaces(db, tenant), silentMinutes(tenant)])
    const live = await Promise.all(places.map((place) => liveAt(tenant, place)))
    return {
      live: live.filter((one) => one !== undefined),
      filter,
      moment: { now: clock.now(), silentMs: minutes * 60_000 },
    }
  }
  const liveAt = async (
    tenant: string,
    { environment, ruleset }: { readonly environment: string; readonly ruleset: string },
  ): Promise<LiveRollout | undefined> => {
    const rollout = await currentRollout(tenant, environment, ruleset)
    if (!rollout) return undefined
    const { version, rolledOutAt, renderings } = rollout
    const hashes = [renderings.ruleset.hash, renderings.contract_bundle.hash] as const
    return { environment, ruleset, version, rolledOutAt, hashes }
  }

  return {
    page: async (tenant, filter, page) => listFleet(db, tenant, await ask(tenant, filter), page),
    counts: async (tenant, filter) => countFleet(db, tenant, await ask(tenant, filter)),
    one: async (tenant, environment, agentId) => {
      const rows = await listFleet(db, tenant, await ask(tenant, { environment, agentId }), { limit: 1 })
      return rows[0]
    },
  }
}
