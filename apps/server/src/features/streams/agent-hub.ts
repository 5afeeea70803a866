import { setImmediate as yieldToOthers } from 'node:timers/promises'
import type { FastifyReply } from 'fastify'
import type { Stop } from '../../kernel/clock.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { chooseRendering } from '../rollouts/index.ts'
import { layTags } from './caller.ts'
import { type Caller, type Connection, tend } from './connection.ts'
import { makeDeliver } from './deliver.ts'
import type { HubNeeds } from './hub-needs.ts'
import { makeRegistry, randomBelow, shares } from './registry.ts'
import type { Assignment, Rollout } from './rollout.ts'
import { openSink } from './sink.ts'

/** Where a ruleset is live. */
export type Place = { readonly tenant: string; readonly environment: string; readonly ruleset: string }

const keyOf = ({ tenant, environment, ruleset }: Place): string => `${tenant} ${environment} ${ruleset}`

export type AgentHub = {
  /** Takes the reply over and keeps the agent current from here on. Throws a Problem before anything was sent. */
  readonly open: (caller: Caller, reply: FastifyReply) => Promise<void>
  readonly rolledOut: (place: Place) => Promise<void>
  /** Assignments of a tenant changed: connections are moved to what is meant for them now. */
  readonly reassigned: (tenant: string) => Promise<void>
  readonly closeStreamsOfKey: (keyId: string) => number
  readonly count: () => number
  /** The agents with a stream here, for whoever asks what a key's end would cut. */
  readonly agentsOfKey: (keyId: string) => readonly string[]
  readonly live: () => Iterable<Connection>
  readonly start: () => void
  /** Refuses new streams and ends the open ones a few at a time. Readiness must be false by then. */
  readonly drain: () => Promise<void>
}

/** Each connection is tended once in this time: agents want a sign of life every 10 to 15 seconds. */
const tendMs = 12_500
const sweepMs = 3_000
/** Every so many turns of the wheel a connection is looked up anew: about once a minute. */
const lookTurns = 5
const batch = 400
/** So many are written to before others have a turn: some twenty milliseconds. */
const writesAtOnce = 1_000

/** Holds the agents' streams of this process. */
export function makeAgentHub(needs: HubNeeds): AgentHub {
  const { clock, newId, log, rulesets, fleet, limits } = needs
  const registry = makeRegistry(needs)
  const passes = new Map<string, number>()
  let isDraining = false
  let turns = 0
  let stops: Stop[] = []

  /** Told once for many; whoever is not up to date is found by the next sweep. */
  const failed = (err: unknown): void => {
    log.warn({ err }, 'Streams could not be brought up to date and are swept again')
  }

  const end = (connection: Connection, how: 'closed' | 'end' | 'cut'): void => {
    if (connection.isClosed) return
    connection.isClosed = true
    registry.remove(connection)
    fleet.closed(connection)
    // Who has not taken what is waiting would not take the end either.
    if (how === 'cut' || (how === 'end' && connection.sink.pendingBytes() > 0)) connection.sink.cut()
    else if (how === 'end') connection.sink.end()
  }

  const deliver = makeDeliver(needs, (connection) => {
    bringUpToDate(connection).catch(failed)
  })

  const currentOf = async ({ caller }: Connection, ruleset: string | undefined): Promise<Rollout | undefined> =>
    ruleset === undefined ? undefined : rulesets.currentRollout(caller.tenant, caller.environment, ruleset)

  const bringUpToDate = async (connection: Connection): Promise<void> => {
    const rollout = await currentOf(connection, connection.ruleset)
    if (rollout && rollout.ruleset === connection.ruleset) deliver.content(connection, rollout)
    const { fetched, caller } = connection
    if (caller.asked !== undefined || fetched === undefined) return
    const followed = await currentOf(connection, fetched.ruleset)
    if (followed && followed.version !== connection.fetched?.version) deliver.hint(connection, followed)
  }

  const resolve = async ({ caller, fetched, tags }: Connection): Promise<Assignment> => {
    const { tenant, environment, agentId } = caller
    // Who names nothing on the stream but fetches a ruleset by name asks for that one.
    const isFetcher = caller.asked === undefined && caller.client === 'typescript'
    const asked = isFetcher ? fetched?.ruleset : caller.asked
    return rulesets.resolveAssignment(tenant, { environment, agentId, tags, asked })
  }

  const follow = (connection: Connection, { ruleset, source }: Assignment): void => {
    connection.source = source
    const isPushed = source !== 'agent_provided' || connection.caller.asked !== undefined
    const next = isPushed ? (ruleset ?? undefined) : undefined
    if (next === connection.ruleset) return
    connection.hasMoved = connection.looks > 0
    connection.ruleset = next
    connection.sentRolloutId = undefined
  }

  /** Reads who the agent is and what is meant for it, and sends what it lacks. */
  const look = async (connection: Connection, isAgain: boolean): Promise<void> => {
    const { tenant, environment, agentId, keyId, keyRendering, prefix, tags } = connection.caller
    const { seenDialect, fetched, ...recalled } = await fleet.recall(tenant, environment, agentId, keyId)
    connection.tags = layTags(recalled.tags, tags)
    if (prefix === '/v1' && (connection.looks < 2 || connection.fetched?.ruleset !== fetched?.ruleset)) {
      connection.fetched = fetched
    }
    const rendering = chooseRendering({ keyRendering, prefix, seenDialect })
    // What it was sent so far it could not read.
    if (rendering !== connection.rendering) connection.sentRolloutId = undefined
    connection.rendering = rendering
    const assignment = await resolve(connection)
    if (connection.isClosed) return
    follow(connection, assignment)
    if (connection.looks === 0) fleet.opened(connection, assignment)
    // Whoever goes through the rows may have been there before what the first look noted.
    else if (isAgain) fleet.reassigned(connection, assignment)
    connection.looks += 1
    await bringUpToDate(connection)
  }

  /** A change that comes while one is being looked up may not be in what was read: then it is looked up again. */
  const lookUntilSteady = async (connection: Connection): Promise<void> => {
    let isAgain = false
    try {
      do {
        connection.isLooking = 'yes'
        await look(connection, isAgain)
        isAgain = true
      } while (connection.isLooking !== 'yes' && !connection.isClosed)
    } finally {
      connection.isLooking = 'no'
    }
  }

  const lookAll = async (connections: readonly Connection[]): Promise<void> => {
    for (let start = 0; start < connections.length; start += batch) {
      const some = connections.slice(start, start + batch)
      for (const connection of some) if (connection.isLooking !== 'no') connection.isLooking = 'yes and again'
      const results = await Promise.allSettled(some.filter(({ isLooking }) => isLooking === 'no').map(lookUntilSteady))
      const failure = results.find(({ status }) => status === 'rejected')
      if (failure?.status === 'rejected') failed(failure.reason)
      await yieldToOthers()
    }
  }

  /** Sends a rollout to those who follow its ruleset. A later pass over the same place takes over from an earlier. */
  const pass = async (place: Place, connections: readonly Connection[], withHints: boolean): Promise<void> => {
    const { tenant, environment, ruleset } = place
    const key = keyOf(place)
    const number = (passes.get(key) ?? 0) + 1
    passes.set(key, number)
    const rollout = await rulesets.currentRollout(tenant, environment, ruleset)
    if (!rollout) return
    let written = 0
    for (const connection of connections) {
      if (passes.get(key) !== number) return
      if (connection.ruleset === ruleset && deliver.content(connection, rollout)) written += 1
      const { asked } = connection.caller
      if (withHints && (asked === undefined || asked === ruleset)) deliver.hint(connection, rollout)
      if (written < writesAtOnce) continue
      written = 0
      await yieldToOthers()
    }
  }

  /** What a lost notification would have told: compares what each was sent with what is rolled out. */
  const sweep = async (): Promise<void> => {
    const places = new Map<string, { readonly place: Place; readonly connections: Connection[] }>()
    const strangers: Connection[] = []
    for (const connection of registry.all()) {
      const { caller, ruleset, looks } = connection
      if (looks === 0) strangers.push(connection)
      if (ruleset === undefined) continue
      const place = { tenant: caller.tenant, environment: caller.environment, ruleset }
      const known = places.get(keyOf(place)) ?? { place, connections: [] }
      known.connections.push(connection)
      places.set(keyOf(place), known)
    }
    for (const { place, connections } of places.values()) await pass(place, connections, false)
    for (const key of passes.keys()) if (!places.has(key)) passes.delete(key)
    await lookAll(strangers)
  }

  const tendShare = (): void => {
    turns += 1
    const share = registry.nextShare()
    const now = clock.now().getTime()
    for (const connection of share) {
      const verdict = tend(connection, now)
      if (verdict !== 'kept') end(connection, verdict)
    }
    const isTurn = turns % (shares * lookTurns) < shares
    lookAll(share.filter(({ isClosed, looks }) => !isClosed && (isTurn || looks < 2))).catch(failed)
  }

  return {
    open: async (caller, reply) => {
      const [perKey] = await Promise.all([limits.perKey(caller.tenant), needs.elsewhere.know()])
      if (isDraining) {
        throw new Problem(problems.unavailable, 'This server is going away. Connect again.', { retryAfterSeconds: 1 })
      }
      registry.requireRoom(caller, perKey)
      const { min, max } = limits.agesMs
      const now = clock.now().getTime()
      const sink = openSink(reply, () => end(connection, 'closed'))
      if (!sink) return
      const connection: Connection = {
        id: newId(),
        caller,
        sink,
        openedAt: now,
        closesAt: now + min + randomBelow(max - min + 1),
        tags: caller.tags,
        rendering: chooseRendering({ ...caller, seenDialect: undefined }),
        ruleset: undefined,
        source: 'none',
        knownName: caller.asked,
        hasMoved: false,
        sentRolloutId: undefined,
        fetched: undefined,
        looks: 0,
        isLooking: 'no',
        behindSince: undefined,
        isClosed: false,
      }
      registry.add(connection)
      lookAll([connection]).catch(failed)
    },
    rolledOut: (place) => pass(place, [...registry.inEnvironment(place.tenant, place.environment)], true),
    reassigned: (tenant) => lookAll([...registry.ofTenant(tenant)]),
    closeStreamsOfKey: (keyId) => {
      const streams = [...registry.ofKey(keyId)]
      for (const connection of streams) end(connection, 'end')
      return streams.length
    },
    count: registry.count,
    agentsOfKey: (keyId) => [...new Set([...registry.ofKey(keyId)].map(({ caller }) => caller.agentId))],
    live: registry.all,
    start: () => {
      const every = Math.floor(tendMs / shares)
      stops = [clock.every(every, tendShare), clock.every(sweepMs, () => sweep().catch(failed))]
    },
    drain: async () => {
      isDraining = true
      for (const stop of stops) stop()
      const streams = [...registry.all()]
      for (const [n, connection] of streams.entries()) {
        end(connection, 'end')
        if (n % batch === batch - 1) await yieldToOthers()
      }
    },
  }
}
