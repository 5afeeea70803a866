import type { Bus } from '../../kernel/bus.ts'
import type { Clock, Stop } from '../../kernel/clock.ts'
import type { Db } from '../../kernel/db.ts'
import type { Log } from '../../kernel/log.ts'
import type { AgentName, AssignmentSource, Dialect, EvidenceSource, Tags } from './agent.ts'
import { findAgentFacts } from './agent-facts-table.ts'
import type { OpenStream } from './agents-table.ts'
import { readManifest } from './manifest.ts'
import { keyOf, makeNotebook, type Notebook } from './notebook.ts'
import { tellPresence } from './tell-presence.ts'

/** One thing that says which revision an agent runs. */
export type Evidence = AgentName & {
  /** 64 lower-case hexadecimal digits; anything else says only that the agent lives. */
  readonly revisionHash: string | undefined
  readonly dialect?: Dialect | undefined
  readonly at: Date
  readonly source: EvidenceSource
  /** Of a fetch: by which key, and what; whether over /v1, and whether it named the ruleset. */
  readonly fetched?:
    | {
        readonly keyId: string
        readonly ruleset: string
        readonly version: number
        readonly isV1: boolean
        readonly isNamed: boolean
      }
    | undefined
}

export type StreamOpening = OpenStream & {
  readonly asked: string | undefined
  readonly reported: string | undefined
  readonly tags: Tags
  readonly assignment: {
    readonly ruleset: string | null
    readonly source: AssignmentSource
    readonly ruleId: string | null
  }
}

export type Fleet = {
  /** Costs a look into a map; what is new is written within a second. */
  readonly noteEvidence: (evidence: readonly Evidence[]) => void
  /** That an agent was heard of, by whatever it did. */
  readonly noteSeen: (name: AgentName, at: Date) => void
  /** What an agent says it has loaded. */
  readonly noteManifest: (name: AgentName, given: Readonly<Record<string, unknown>>) => void
  readonly streamOpened: (stream: StreamOpening) => void
  readonly streamClosed: (stream: OpenStream) => void
  /** Their streams ended with the replica that held them. */
  readonly lost: (agents: readonly AgentName[]) => void
  /** Hears of evidence as it comes, for whoever counts who runs a rollout. */
  readonly onEvidence: (hear: (evidence: Evidence) => void) => Stop
  /** The revision the agent was last seen running, on whatever replica. */
  readonly lastRevisionOf: (tenant: string, environment: string, agentId: string) => Promise<string | null>
  /** Which dialect of rulesets it was seen to speak. From memory, then from its row. */
  readonly seenDialect: (tenant: string, environment: string, agentId: string) => Promise<Dialect | undefined>
  /** The same where no question to the database is needed. */
  readonly dialectInMemory: (
    tenant: string,
    environment: string,
    agentId: string,
  ) => { readonly dialect: Dialect | undefined } | undefined
  readonly notebook: Notebook
  readonly start: () => void
  readonly stop: () => Promise<void>
}

type Needs = {
  readonly db: Db
  readonly clock: Clock
  readonly newId: () => string
  readonly bus: Pick<Bus, 'announce'>
  readonly log: Log
  readonly replicaId: string
}

const writeMs = 250
/** The same thing said again is written this seldom. */
const repeatMs = 10_000
const knownMax = 50_000
const hash = /^[0-9a-f]{64}$/

type Known = {
  readonly hash: string | undefined
  readonly dialect: Dialect | undefined
  readonly version: number | undefined
  readonly at: number
}

/** What is known of the agents of this installation. */
export function makeFleet({ db, clock, newId, bus, log, replicaId }: Needs): Fleet {
  const presence = tellPresence({ db, bus })
  const notebook = makeNotebook({ db, clock, newId, replicaId, log, onPresence: presence.note })
  const known = new Map<string, Known>()
  const dialects = new Map<string, { readonly dialect: Dialect | undefined; readonly at: number }>()
  const hearers = new Set<(evidence: Evidence) => void>()
  let stops: Stop[] = []

  const learn = (evidence: Evidence): void => {
    const { at, source, dialect, fetched, tenant, environment, agentId } = evidence
    const name = { tenant, environment, agentId }
    const revisionHash = hash.test(evidence.revisionHash ?? '') ? evidence.revisionHash : undefined
    const key = `${source} ${keyOf(name)}`
    const last = known.get(key)
    // A device whose clock runs ahead must not make its claim the newest for ever.
    const now = clock.now()
    const when = at > now ? now : at
    const isRepeated =
      last !== undefined &&
      (revisionHash === undefined || last.hash === revisionHash) &&
      (dialect === undefined || last.dialect === dialect) &&
      last.version === fetched?.version &&
      now.getTime() - last.at < repeatMs
    if (isRepeated) return
    if (known.size >= knownMax) known.clear()
    known.set(key, {
      hash: revisionHash ?? last?.hash,
      dialect: dialect ?? last?.dialect,
      version: fetched?.version,
      at: now.getTime(),
    })
    if (fetched?.isV1) notebook.noteFetch({ ...fetched, tenant, agentId, at: when })
    notebook.note(name, {
      seenAt: now,
      ...(source === 'event' && { eventAt: when }),
      ...(revisionHash !== undefined && { [source]: { hash: revisionHash, at: when } }),
      ...(dialect !== undefined && { dialect }),
      ...(fetched?.isV1 && { fetchedRuleset: fetched.ruleset }),
      ...(fetched?.isNamed && { namedByFetch: fetched.ruleset }),
    })
  }

  const tell = (evidence: Evidence): void => {
    learn(evidence)
    for (const hear of hearers) hear(evidence)
  }

  const dialectInMemory: Fleet['dialectInMemory'] = (tenant, environment, agentId) => {
    const key = keyOf({ tenant, environment, agentId })
    const fresh = known.get(`event ${key}`)
    if (fresh?.dialect) return fresh
    const kept = dialects.get(key)
    return kept && clock.now().getTime() - kept.at < repeatMs ? kept : undefined
  }

  return {
    noteEvidence: (evidence) => {
      for (const one of evidence) tell(one)
    },
    noteSeen: (name, at) => {
      notebook.note(name, { seenAt: at })
    },
    noteManifest: (name, given) => {
      const manifest = readManifest(given)
      const at = clock.now()
      notebook.note(name, { seenAt: at, manifest })
      if (manifest.revisionHash === null) return
      // Said once it is loaded, so that an agent that makes no call can acknowledge a roll-out too.
      tell({ ...name, revisionHash: manifest.revisionHash, at, source: 'stream' })
    },
    streamOpened: ({ asked, reported, tags, assignment, ...stream }) => {
      const { tenant, environment, agentId, connectedAt, client } = stream
      const name = { tenant, environment, agentId }
      notebook.opened(stream)
      notebook.note(name, {
        seenAt: connectedAt,
        connectedAt,
        client,
        asked: asked ?? null,
        reportedTags: tags,
        assignment,
        ...(reported !== undefined && { stream: { hash: reported, at: connectedAt } }),
      })
      if (reported === undefined) return
      for (const hear of hearers) hear({ ...name, revisionHash: reported, at: connectedAt, source: 'stream' })
    },
    streamClosed: (stream) => {
      const { tenant, environment, agentId } = stream
      notebook.closed(stream)
      notebook.note({ tenant, environment, agentId }, { leftAt: clock.now(), seenAt: clock.now() })
    },
    lost: (agents) => {
      presence.note([], agents)
    },
    onEvidence: (hear) => {
      hearers.add(hear)
      return () => hearers.delete(hear)
    },
    lastRevisionOf: async (tenant, environment, agentId) => {
      const fresh = notebook.unwritten({ tenant, environment, agentId })?.event?.hash
      return fresh ?? (await findAgentFacts(db, tenant, environment, agentId))?.runningHash ?? null
    },
    dialectInMemory,
    seenDialect: async (tenant, environment, agentId) => {
      const kept = dialectInMemory(tenant, environment, agentId)
      if (kept) return kept.dialect
      const key = keyOf({ tenant, environment, agentId })
      const now = clock.now().getTime()
      const dialect = (await findAgentFacts(db, tenant, environment, agentId))?.dialect ?? undefined
      if (dialects.size >= knownMax) dialects.clear()
      dialects.set(key, { dialect, at: now })
      return dialect
    },
    notebook,
    start: () => {
      let failures = 0
      const write = async () => {
        try {
          await notebook.write()
          failures = 0
        } catch (err) {
          failures += 1
          if ((failures & (failures - 1)) !== 0) return
          log.warn({ err, failures }, 'What was learned of agents could not be written and is kept')
        }
      }
      stops = [clock.every(writeMs, write), clock.every(1_000, () => presence.tell().catch(() => undefined))]
    },
    stop: async () => {
      for (const stop of stops) stop()
      // What is lost here the agents say again: this is a courtesy to whoever looks meanwhile.
      await notebook.write().catch(() => undefined)
    },
  }
}
