import type { Manifest } from './manifest.ts'

/** An agent id in one environment: the same id in another is another agent. */
export type AgentName = { readonly tenant: string; readonly environment: string; readonly agentId: string }

export type Dialect = 'ruleset' | 'contract_bundle'
export type EvidenceSource = 'event' | 'stream' | 'fetch'
export type AssignmentSource = 'explicit' | 'rule' | 'agent_provided' | 'none'
export type Tags = Readonly<Record<string, string>>

export type Sighting = { readonly hash: string; readonly at: Date }

/** What is stored of an agent by what it does; people set its display name and tags beside this. */
export type Agent = AgentName & {
  readonly id: string
  readonly client: string | null
  readonly dialect: Dialect | null
  readonly reportedTags: Tags
  readonly askedRuleset: string | null
  readonly fetchedRuleset: string | null
  readonly ruleset: string | null
  readonly rulesetSource: AssignmentSource
  readonly ruleId: string | null
  readonly event: Sighting | null
  readonly stream: Sighting | null
  readonly fetch: Sighting | null
  readonly onlineSince: Date | null
  readonly leftAt: Date | null
  readonly firstSeenAt: Date
  readonly lastSeenAt: Date
  readonly lastEventAt: Date | null
}

/** What was learned of an agent since its row was last written; newer news of the same kind replaces older. */
export type News = {
  readonly seenAt?: Date
  readonly eventAt?: Date
  readonly event?: Sighting
  readonly stream?: Sighting
  readonly fetch?: Sighting
  readonly fetchedRuleset?: string
  /** The name it fetched a ruleset by, over whichever path. */
  readonly namedByFetch?: string
  readonly client?: string
  readonly dialect?: Dialect
  /** Null: it named none. */
  readonly asked?: string | null
  readonly reportedTags?: Tags
  readonly assignment?: {
    readonly ruleset: string | null
    readonly source: AssignmentSource
    readonly ruleId: string | null
  }
  readonly manifest?: Manifest
  readonly connectedAt?: Date
  readonly leftAt?: Date
}

export type HistoryKind = 'first_seen' | 'connected' | 'disconnected' | 'revision' | 'assignment' | 'silent'
export type HistoryEntry = {
  readonly at: Date
  readonly kind: HistoryKind
  readonly facts: Readonly<Record<string, string | null>>
}

/** A reconnect within this time is no news: connections are renewed about every hour, and networks hiccup. */
export const breakMsMax = 60_000
/** How long after a rollout an agent that runs the older revision counts as updating and not as drifting. */
export const updatingMs = 5 * 60_000

export type Running = { readonly hash: string; readonly source: EvidenceSource; readonly at: Date }

/**
 * What it runs, going by the newest evidence. A stream's claim and a fetch count from when they last changed, so that
 * repeating an old claim does not outweigh what events said in between: clients claim a revision as soon as they have
 * read it, before they have checked and loaded it (agent-api §3.9).
 */
export function runningOf({ event, stream, fetch }: Pick<Agent, 'event' | 'stream' | 'fetch'>): Running | undefined {
  const sources = [
    ['event', event],
    ['stream', stream],
    ['fetch', fetch],
  ] as const
  let best: Running | undefined
  for (const [source, sighting] of sources) {
    if (sighting && (!best || sighting.at > best.at)) best = { ...sighting, source }
  }
  return best
}

export function mergeNews(older: News, newer: News): News {
  return {
    ...older,
    ...newer,
    ...dated('seenAt', later(older.seenAt, newer.seenAt)),
    ...dated('eventAt', later(older.eventAt, newer.eventAt)),
    ...dated('leftAt', later(older.leftAt, newer.leftAt)),
    ...dated('connectedAt', earlier(older.connectedAt, newer.connectedAt)),
    ...sighted('event', older.event, newer.event),
    ...sighted('stream', older.stream, newer.stream),
    ...sighted('fetch', older.fetch, newer.fetch),
  }
}

function dated<Name extends string>(name: Name, at: Date | undefined): Partial<Record<Name, Date>> {
  return at === undefined ? {} : ({ [name]: at } as Record<Name, Date>)
}

function sighted<Name extends string>(
  name: Name,
  older: Sighting | undefined,
  newer: Sighting | undefined,
): Partial<Record<Name, Sighting>> {
  const sighting = older && newer ? (newer.at >= older.at ? newer : older) : (newer ?? older)
  return sighting === undefined ? {} : ({ [name]: sighting } as Record<Name, Sighting>)
}

/** The row as it is after the news, and what of it belongs on the agent's timeline. */
export function learn(
  before: Agent | undefined,
  name: AgentName,
  news: News,
  fresh: { readonly id: string; readonly now: Date },
): { readonly agent: Agent; readonly history: readonly HistoryEntry[] } {
  const heardAt = later(news.seenAt, later(news.connectedAt, news.leftAt))
  const old = before ?? newcomer(name, fresh.id, heardAt ?? fresh.now)
  const history: HistoryEntry[] = before ? [] : [{ at: old.firstSeenAt, kind: 'first_seen', facts: {} }]

  const agent: Agent = {
    ...old,
    client: news.client ?? old.client,
    dialect: news.dialect ?? old.dialect,
    reportedTags: news.reportedTags ?? old.reportedTags,
    askedRuleset: askedBy(old, news),
    fetchedRuleset: news.fetchedRuleset ?? old.fetchedRuleset,
    ruleset: news.assignment ? news.assignment.ruleset : old.ruleset,
    rulesetSource: news.assignment?.source ?? old.rulesetSource,
    ruleId: news.assignment ? news.assignment.ruleId : old.ruleId,
    event: news.event && (!old.event || news.event.at >= old.event.at) ? news.event : old.event,
    stream: changed(old.stream, news.stream),
    fetch: changed(old.fetch, news.fetch),
    onlineSince: old.onlineSince ?? news.connectedAt ?? null,
    leftAt: later(old.leftAt ?? undefined, news.leftAt) ?? null,
    lastSeenAt: later(old.lastSeenAt, heardAt) ?? old.lastSeenAt,
    lastEventAt: later(old.lastEventAt ?? undefined, news.eventAt) ?? null,
  }

  if (agent.onlineSince && !old.onlineSince) history.push({ at: agent.onlineSince, kind: 'connected', facts: {} })
  if (agent.ruleset !== old.ruleset || agent.rulesetSource !== old.rulesetSource) {
    const facts = { ruleset: agent.ruleset, source: agent.rulesetSource, previous: old.ruleset }
    history.push({ at: heardAt ?? fresh.now, kind: 'assignment', facts })
  }
  const running = runningOf(agent)
  const ran = runningOf(old)
  if (running && running.hash !== ran?.hash) {
    const facts = { revision_hash: running.hash, source: running.source, previous: ran?.hash ?? null }
    history.push({ at: running.at, kind: 'revision', facts })
  }
  return { agent, history }
}

/**
 * What its stream names. TypeScript from 0.3 on names nothing there: what it fetches over /v1 is what it asks for. So is
 * what an agent fetches that never opened a stream, since most that run once and end are told not to.
 */
function askedBy(old: Agent, news: News): string | null {
  if ((news.client ?? old.client) === null) return news.namedByFetch ?? old.askedRuleset
  const asked = news.asked === undefined ? old.askedRuleset : news.asked
  const fetched = news.fetchedRuleset ?? old.fetchedRuleset
  const isFetcher = (news.client ?? old.client) === 'typescript' && fetched !== null
  return isFetcher ? fetched : asked
}

function newcomer(name: AgentName, id: string, at: Date): Agent {
  return {
    ...name,
    id,
    client: null,
    dialect: null,
    reportedTags: {},
    askedRuleset: null,
    fetchedRuleset: null,
    ruleset: null,
    rulesetSource: 'none',
    ruleId: null,
    event: null,
    stream: null,
    fetch: null,
    onlineSince: null,
    leftAt: null,
    firstSeenAt: at,
    lastSeenAt: at,
    lastEventAt: null,
  }
}

/** The same claim again is no newer evidence. */
function changed(old: Sighting | null, news: Sighting | undefined): Sighting | null {
  if (!news || old?.hash === news.hash) return old
  return !old || news.at >= old.at ? news : old
}

function later(one: Date | undefined, other: Date | undefined): Date | undefined {
  if (!one || !other) return one ?? other
  return one >= other ? one : other
}

function earlier(one: Date | undefined, other: Date | undefined): Date | undefined {
  if (!one || !other) return one ?? other
  return one <= other ? one : other
}
