import type { Clock } from '../../kernel/clock.ts'
import type { Log } from '../../kernel/log.ts'
import type { Connection } from './connection.ts'
import type { Assignment, RenderingName, Rollout } from './rollout.ts'
import type { StreamsElsewhere } from './streams-elsewhere.ts'

/** What is live and what is meant for whom. Answered from memory: asked for every connection on every change. */
export type RulesetNeeds = {
  readonly currentRollout: (tenant: string, environment: string, ruleset: string) => Promise<Rollout | undefined>
  readonly resolveAssignment: (
    tenant: string,
    ask: {
      readonly environment: string
      readonly agentId: string
      readonly tags: Readonly<Record<string, string>>
      readonly asked: string | undefined
    },
  ) => Promise<Assignment>
}

/** What is remembered of an agent between its connections. */
export type Remembered = {
  readonly tags: Readonly<Record<string, string>>
  readonly seenDialect: RenderingName | undefined
  /** The last ruleset this key and agent fetched over /v1. */
  readonly fetched: { readonly ruleset: string; readonly version: number } | undefined
}

export type FleetNeeds = {
  /** Many are asked for at once when a fleet reconnects, so it must answer them together. */
  readonly recall: (tenant: string, environment: string, agentId: string, keyId: string) => Promise<Remembered>
  /** None of these waits for the database. */
  readonly opened: (connection: Connection, assignment: Assignment) => void
  /** What is meant for it changed while it was being looked up. */
  readonly reassigned: (connection: Connection, assignment: Assignment) => void
  readonly closed: (connection: Connection) => void
  readonly sent: (connection: Connection, rollout: Rollout) => void
}

export type StreamLimits = {
  /** Open agent streams on all replicas together: of one tenant, and of one key as the tenant set it. */
  readonly perTenant: number
  readonly perKey: (tenant: string) => Promise<number>
  readonly agesMs: { readonly min: number; readonly max: number }
}

export type HubNeeds = {
  readonly elsewhere: StreamsElsewhere
  readonly clock: Clock
  readonly newId: () => string
  readonly log: Log
  readonly rulesets: RulesetNeeds
  readonly fleet: FleetNeeds
  readonly limits: StreamLimits
}
