import type { Clock } from '../../kernel/clock.ts'
import { type Db, sqlState, type Tx } from '../../kernel/db.ts'
import type { Log } from '../../kernel/log.ts'
import { type Agent, type AgentName, learn, mergeNews, type News } from './agent.ts'
import {
  deleteStreams,
  type Fetch,
  insertStreams,
  lockAgents,
  type OpenStream,
  writeAgents,
  writeFetches,
  writeHistory,
  writeManifests,
} from './agents-table.ts'

/**
 * What is learned of agents, kept until it is written many at a time: ten thousand that reconnect at once cost a few
 * statements, and an event costs a look into a map.
 */
export type Notebook = {
  readonly note: (name: AgentName, news: News) => void
  /** What is not written yet. */
  readonly unwritten: (name: AgentName) => News | undefined
  /** Ends the watch and tells whether meanwhile, or not written yet, somebody else noted what is meant for the agent. */
  readonly watchAssignment: (name: AgentName) => () => boolean
  readonly noteFetch: (fetch: Fetch) => void
  readonly unwrittenFetch: (tenant: string, keyId: string, agentId: string) => Fetch | undefined
  readonly opened: (stream: OpenStream) => void
  readonly closed: (stream: OpenStream) => void
  /** Hears, after the commit, of agents that got their row, or ask for something else, by news that does not say what is meant for them. */
  readonly onNewcomers: (hear: (names: readonly AgentName[]) => void) => void
  /** Writes what there is. When the database is away nothing is lost and it may be tried again. */
  readonly write: () => Promise<void>
}

type Needs = {
  readonly db: Db
  readonly clock: Clock
  readonly newId: () => string
  readonly replicaId: string
  readonly log: Log
  /** The agents that were not connected and are now, and those whose stream ended. */
  readonly onPresence: (connected: readonly AgentName[], disconnected: readonly AgentName[]) => void
}

const chunk = 500

export const keyOf = ({ tenant, environment, agentId }: AgentName): string => `${tenant} ${environment} ${agentId}`
const fetchKey = (tenant: string, keyId: string, agentId: string): string => `${tenant} ${keyId} ${agentId}`

export function makeNotebook({ db, clock, newId, replicaId, log, onPresence }: Needs): Notebook {
  let pages = new Map<string, { readonly name: AgentName; readonly news: News }>()
  let fetches = new Map<string, Fetch>()
  let opened = new Map<string, OpenStream>()
  const closed = new Map<string, OpenStream>()
  // What is being written stays readable until it is in the tables.
  let writing: typeof pages | undefined
  let writingFetches: typeof fetches | undefined
  let lastWrite: Promise<void> = Promise.resolve()
  const watched = new Map<string, { isNoted: boolean }>()
  let hearOfNewcomers: (names: readonly AgentName[]) => void = () => undefined

  const note = (name: AgentName, news: News): void => {
    const key = keyOf(name)
    const older = pages.get(key)
    pages.set(key, { name, news: older ? mergeNews(older.news, news) : news })
    const watch = watched.get(key)
    if (watch && news.assignment) watch.isNoted = true
  }

  const unwritten = (name: AgentName): News | undefined => {
    const key = keyOf(name)
    const [older, newer] = [writing?.get(key)?.news, pages.get(key)?.news]
    return older && newer ? mergeNews(older, newer) : (newer ?? older)
  }

  const writePages = async (tx: Tx, some: readonly { name: AgentName; news: News }[]) => {
    const before = new Map(
      (
        await lockAgents(
          tx,
          some.map(({ name }) => name),
        )
      ).map((agent) => [keyOf(agent), agent]),
    )
    const learned = some.map(({ name, news }) =>
      learn(before.get(keyOf(name)), name, news, { id: newId(), now: clock.now() }),
    )
    const agents: readonly Agent[] = learned.map(({ agent }) => agent)
    const written = new Set((await writeAgents(tx, agents)).map(keyOf))
    await writeHistory(
      tx,
      learned
        .filter(({ agent }) => written.has(keyOf(agent)))
        .flatMap(({ agent: { tenant, environment, agentId }, history }) =>
          history.map((entry) => ({ tenant, environment, agentId, ...entry })),
        ),
    )
    await writeManifests(
      tx,
      some.flatMap(({ name, news: { manifest, seenAt } }) =>
        manifest && written.has(keyOf(name)) ? [{ ...name, manifest, at: seenAt ?? clock.now() }] : [],
      ),
    )
    const asksAnew = new Set(
      agents.filter((agent) => agent.askedRuleset !== before.get(keyOf(agent))?.askedRuleset).map(keyOf),
    )
    return {
      unwritten: some.filter(({ name }) => !written.has(keyOf(name))),
      newcomers: some.filter(({ name, news }) => {
        const key = keyOf(name)
        return (!before.has(key) || asksAnew.has(key)) && !news.assignment && written.has(key)
      }),
    }
  }

  /**
   * Writes all, a part at a time, and lets go of what is written. One that the database refuses for what it is must not
   * keep the others from being written: it is found by halving and left out.
   */
  const writeParts = async <Item>(
    items: readonly Item[],
    write: (some: readonly Item[]) => Promise<void>,
    letGo: (item: Item) => void,
  ): Promise<void> => {
    const writePart = async (some: readonly Item[]): Promise<void> => {
      try {
        await write(some)
      } catch (err) {
        if (!isUnstorable(err)) throw err
        if (some.length > 1) {
          const half = Math.ceil(some.length / 2)
          await writePart(some.slice(0, half))
          await writePart(some.slice(half))
          return
        }
        log.error({ err }, 'Something learned of an agent cannot be stored and is left out')
      }
      for (const item of some) letGo(item)
    }
    for (let start = 0; start < items.length; start += chunk) await writePart(items.slice(start, start + chunk))
  }

  const writeAll = async (): Promise<void> => {
    // One order for all replicas, so that none waits for another in a circle.
    const sorted = [...(writing ?? [])].sort(([one], [other]) => (one < other ? -1 : 1))
    await writeParts(
      sorted,
      async (some) => {
        const pages = some.map(([, page]) => page)
        // Another replica wrote the same newcomer first; the next round finds its row.
        const { unwritten, newcomers } = await db.inTx((tx) => writePages(tx, pages))
        for (const { name, news } of unwritten) giveBack(name, news)
        if (newcomers.length > 0) hearOfNewcomers(newcomers.map(({ name }) => name))
      },
      ([key]) => writing?.delete(key),
    )
    await writeParts(
      [...(writingFetches ?? [])],
      (some) =>
        db.inTx((tx) =>
          writeFetches(
            tx,
            some.map(([, fetch]) => fetch),
          ),
        ),
      ([key]) => writingFetches?.delete(key),
    )
  }

  const giveBack = (name: AgentName, news: News): void => {
    const newer = pages.get(keyOf(name))
    pages.set(keyOf(name), { name, news: newer ? mergeNews(news, newer.news) : news })
  }

  const writeStreams = async (): Promise<void> => {
    const came = opened
    opened = new Map()
    try {
      await writeParts(
        [...came.values()],
        (some) => db.inTx((tx) => insertStreams(tx, replicaId, some)),
        ({ id }) => came.delete(id),
      )
    } finally {
      for (const [id, stream] of came) if (!closed.has(id)) opened.set(id, stream)
    }
    const left = [...closed.values()]
    await writeParts(
      left,
      (some) => db.inTx((tx) => deleteStreams(tx, some)),
      ({ id }) => closed.delete(id),
    )
    onPresence([], left)
  }

  const writeOnce = async (): Promise<void> => {
    writing = pages
    writingFetches = fetches
    pages = new Map()
    fetches = new Map()
    try {
      await writeAll()
      await writeStreams()
    } finally {
      for (const { name, news } of writing.values()) giveBack(name, news)
      for (const [key, fetch] of writingFetches) if (!fetches.has(key)) fetches.set(key, fetch)
      writing = undefined
      writingFetches = undefined
    }
  }

  return {
    note,
    unwritten,
    watchAssignment: (name) => {
      const key = keyOf(name)
      const watch = { isNoted: unwritten(name)?.assignment !== undefined }
      watched.set(key, watch)
      return () => {
        if (watched.get(key) === watch) watched.delete(key)
        return watch.isNoted
      }
    },
    noteFetch: (fetch) => fetches.set(fetchKey(fetch.tenant, fetch.keyId, fetch.agentId), fetch),
    unwrittenFetch: (tenant, keyId, agentId) => {
      const key = fetchKey(tenant, keyId, agentId)
      return fetches.get(key) ?? writingFetches?.get(key)
    },
    opened: (stream) => {
      opened.set(stream.id, stream)
      onPresence([stream], [])
    },
    closed: (stream) => {
      // One that came and went between two writings was never there.
      if (!opened.delete(stream.id)) closed.set(stream.id, stream)
    },
    onNewcomers: (hear) => {
      hearOfNewcomers = hear
    },
    write: () => {
      // The last one, when the server stops, waits for the one that may be under way.
      const turn = lastWrite.then(writeOnce)
      lastWrite = turn.catch(() => undefined)
      return turn
    },
  }
}

/** Refused for what it is, and not because of when: a value out of range, a null where none may be. */
function isUnstorable(cause: unknown): boolean {
  const state = sqlState(cause)
  return state.startsWith('22') || state === '23502' || state === '23514'
}
