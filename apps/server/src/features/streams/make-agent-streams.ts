import type { Bus } from '../../kernel/bus.ts'
import type { Clock, Stop } from '../../kernel/clock.ts'
import type { Db } from '../../kernel/db.ts'
import type { Log } from '../../kernel/log.ts'
import { type Fleet, makeRecall } from '../fleet/index.ts'
import { type AgentHub, makeAgentHub } from './agent-hub.ts'
import type { Connection } from './connection.ts'
import type { RulesetNeeds, StreamLimits } from './hub-needs.ts'
import { makeReplica } from './replica.ts'
import type { Assignment, Rollout } from './rollout.ts'
import { streamsElsewhere } from './streams-elsewhere.ts'

type Needs = {
  readonly kernel: {
    readonly db: Db
    readonly bus: Pick<Bus, 'on'>
    readonly clock: Clock
    readonly newId: () => string
    readonly log: Log
  }
  readonly fleet: Fleet
  readonly rulesets: RulesetNeeds
  readonly limits: StreamLimits
  readonly replicaId: string
}

/** A rollout left for an agent; whether it arrived and was taken only the agent can say. */
export type Sent = {
  readonly tenant: string
  readonly environment: string
  readonly agentId: string
  readonly rolloutId: string
  readonly at: Date
}

export type AgentStreams = Pick<AgentHub, 'open' | 'count'> & {
  /** Hears of each rollout as it is sent. Must not wait. */
  readonly onSent: (hear: (sent: Sent) => void) => Stop
  /** Tells the fleet of those whose stream is open and who were not looked up yet. */
  readonly noteArriving: (tenant: string, agentIds: ReadonlySet<string>) => void
  readonly start: () => Promise<void>
  /** Readiness must be false by then, or agents come back to a server that is going away. */
  readonly drain: () => Promise<void>
  /** After the last request: writes what is left to know and says that this replica is gone. */
  readonly stop: () => Promise<void>
}

/** The agents' streams of this process, moved by what the bus tells. */
export function makeAgentStreams({ kernel, fleet, rulesets, limits, replicaId }: Needs): AgentStreams {
  const { db, bus, clock, newId, log } = kernel
  const hearers = new Set<(sent: Sent) => void>()
  const recall = makeRecall({ db, notebook: fleet.notebook })
  const hub = makeAgentHub({
    clock,
    newId,
    log,
    rulesets,
    limits,
    elsewhere: streamsElsewhere({ db, clock, replicaId }),
    fleet: {
      recall,
      opened: (connection, assignment) => fleet.streamOpened(openingOf(connection, assignment)),
      reassigned: ({ caller: { tenant, environment, agentId } }, { ruleset, source, ruleId = null }) =>
        fleet.notebook.note({ tenant, environment, agentId }, { assignment: { ruleset, source, ruleId } }),
      closed: (connection) => fleet.streamClosed(streamOf(connection)),
      sent: ({ caller }, rollout: Rollout) => {
        const { tenant, environment, agentId } = caller
        const sent = { tenant, environment, agentId, rolloutId: rollout.rolloutId, at: clock.now() }
        for (const hear of hearers) hear(sent)
      },
    },
  })
  const replica = makeReplica({
    db,
    clock,
    log,
    id: replicaId,
    onForgotten: () => {
      for (const connection of hub.live()) fleet.notebook.opened(streamOf(connection))
    },
    onLost: fleet.lost,
  })

  const failed = (err: unknown): void => {
    log.warn({ err }, 'Streams could not be brought up to date and are swept again')
  }
  // What is kept of rollouts and assignments hears the same news; by the next turn it has forgotten what is old.
  const soon = (work: () => Promise<void>): void => {
    queueMicrotask(() => {
      work().catch(failed)
    })
  }
  bus.on('rollout.created', ({ tenant, body }) => {
    if (tenant === null) return
    const place = { tenant, environment: String(body['environment']), ruleset: String(body['ruleset']) }
    soon(() => hub.rolledOut(place))
  })
  bus.on('assignment.changed', ({ tenant }) => {
    if (tenant !== null) soon(() => hub.reassigned(tenant))
  })
  bus.on('settings.changed', ({ tenant, body }) => {
    const isAboutIt = String(body['name']).startsWith('assignments.')
    if (tenant !== null && isAboutIt) soon(() => hub.reassigned(tenant))
  })
  bus.on('agent.changed', ({ tenant }) => {
    if (tenant !== null) soon(() => hub.reassigned(tenant))
  })
  for (const topic of ['key.revoked', 'key.changed']) {
    // One that was changed is served otherwise from now on: its agents come back at once and are.
    bus.on(topic, ({ body }) => hub.closeStreamsOfKey(String(body['key_id'])))
  }

  return {
    open: hub.open,
    count: hub.count,
    onSent: (hear) => {
      hearers.add(hear)
      return () => hearers.delete(hear)
    },
    noteArriving: (tenant, agentIds) => {
      for (const { caller, looks, openedAt } of hub.live()) {
        if (looks > 0 || caller.tenant !== tenant || !agentIds.has(caller.agentId)) continue
        const { environment, agentId } = caller
        fleet.noteSeen({ tenant, environment, agentId }, new Date(openedAt))
      }
    },
    start: async () => {
      await replica.start()
      hub.start()
      fleet.start()
    },
    drain: hub.drain,
    stop: async () => {
      await fleet.stop()
      await replica.stop()
    },
  }
}

function streamOf({ id, caller, openedAt }: Connection) {
  const { tenant, environment, agentId, keyId, client, address } = caller
  return { id, tenant, environment, agentId, keyId, client, address, connectedAt: new Date(openedAt) }
}

function openingOf(connection: Connection, { ruleset, source, ruleId }: Assignment) {
  const { asked, reported, tags } = connection.caller
  return { ...streamOf(connection), asked, reported, tags, assignment: { ruleset, source, ruleId: ruleId ?? null } }
}
