import { expect } from 'vitest'
import type { Route } from '../src/features/roles/index.ts'
import type { Db } from '../src/kernel/db.ts'
import type { Answer } from './server.ts'

/** What is sent to a route. */
export type Asked = {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: string | undefined
  readonly body?: unknown
}

/** What a table knows of one route. */
export type Line<Things> = {
  /** Path parameters of something of our own; also what another tenant tries. */
  readonly params?: (things: Things) => Readonly<Record<string, string>>
  readonly query?: string
  readonly body?: (things: Things) => unknown
  /** What does not fit: a body, a query, or path parameters. Routes that take no input have none. */
  readonly bad?: Asked | 'takes nothing'
  readonly status?: number
  /**
   * What a success leaves in the trail: these acts, by whoever asked, under the id of the request, and no others. `nothing`
   * says why it leaves none; what succeeds only with more than a request is shown to leave it `elsewhere`, in acts.test.ts.
   * Reads leave nothing unless told.
   */
  readonly leaves?: 'elsewhere' | Act | readonly Act[] | { readonly nothing: string }
  /** Undoes what the success did to things other lines need. */
  readonly isLast?: boolean
  /** What another tenant gets when it names our thing: 404 unless told. */
  readonly foreign?: 'own list' | 'not about things'
}

type Sight = {
  readonly route: Route
  /** The route and what it answered, for whoever reads the failure. */
  readonly seen: string
}

/** A noun and what happened to it. */
type Act = `${string}.${string}`
type LeftEntry = { readonly act: string; readonly outcome: string; readonly actor: string }

type Needs<Things> = {
  readonly routes: () => readonly Route[]
  readonly lines: Readonly<Record<string, Line<Things>>>
  readonly things: () => Things
  /** The person who asks as `own`. */
  readonly me: () => string
  /** What is in the trail of one request, oldest first. */
  readonly entriesOf: (request: string) => Promise<readonly LeftEntry[]>
  readonly ask: (who: 'own' | 'foreign', method: string, path: string, body: unknown) => Promise<Answer>
}

export const nameOf = ({ method, path }: Route): string => `${method} ${path}`

/** What one request left in the trail of a server's database, oldest first. */
export function entriesIn(server: { readonly db: Db }) {
  return (request: string): Promise<LeftEntry[]> =>
    server.db.query<LeftEntry>(
      `select e.act, e.outcome, e.actor_id as actor from trail_entries as e where e.request_id = $1 order by e.arrival`,
      [request],
    )
}

function actsIn(leaves: Line<never>['leaves']): readonly string[] {
  if (leaves === undefined || leaves === 'elsewhere') return []
  if (typeof leaves === 'string') return [leaves]
  return 'nothing' in leaves ? [] : leaves
}

/** Walks every route of a surface by a table with a line for each; a surface says in words of its own what it looks for. */
export function routeMatrix<Things>({ routes, lines, things, me, entriesOf, ask }: Needs<Things>) {
  const lineOf = (route: Route): Line<Things> => lines[nameOf(route)] ?? {}
  const send = async (who: 'own' | 'foreign', route: Route, { params = {}, query, body }: Asked) => {
    const path = route.path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? 'missing'))
    const answer = await ask(who, route.method, query ? `${path}?${query}` : path, body)
    return { answer, seen: `${nameOf(route)}: ${answer.status} ${answer.text.slice(0, 300)}` }
  }
  const look = async (route: Route, answer: Answer, seen: string): Promise<void> => {
    const { leaves } = lineOf(route)
    const entries = await entriesOf(answer.headers.get('x-request-id') ?? '')
    const done = entries.filter(({ outcome }) => outcome === 'done')
    if (route.method !== 'GET') expect.soft(leaves, `${nameOf(route)} says what it leaves in the trail`).toBeDefined()
    const acts = actsIn(leaves)
    expect
      .soft(
        done.map(({ act }) => act),
        seen,
      )
      .toEqual(acts)
    if (acts.length > 0)
      expect.soft(answer.status, `${seen}: an act that leaves something has succeeded`).toBeLessThan(300)
    for (const { actor } of done) expect.soft(actor, seen).toBe(me())
  }
  const asIntended = ({ params, query, body }: Line<Things>): Asked => ({
    ...(params && { params: params(things()) }),
    query,
    body: body?.(things()),
  })

  return {
    expectEveryLine: (): void => {
      expect(Object.keys(lines).sort()).toEqual(routes().map(nameOf).sort())
    },

    /** What does not fit is refused with one of these, and then looked at. */
    refuseBad: async (statuses: readonly number[], look: (answer: Answer, sight: Sight) => void): Promise<void> => {
      for (const route of routes()) {
        const line = lineOf(route)
        if (line.bad === undefined || line.bad === 'takes nothing') continue
        const { answer, seen } = await send('own', route, { ...asIntended(line), ...line.bad })
        expect.soft(statuses, seen).toContain(answer.status)
        look(answer, { route, seen })
      }
    },

    /** Another tenant that names our things gets 404, or lists without them; nothing of `hidden` is in any answer. */
    hideFromForeign: async (
      hidden: readonly string[],
      look: (answer: Answer, sight: Sight) => void = () => {},
    ): Promise<void> => {
      for (const route of routes()) {
        const line = lineOf(route)
        if (line.foreign === 'not about things') continue
        const { answer, seen } = await send('foreign', route, asIntended(line))
        for (const mine of hidden) expect.soft(answer.text, seen).not.toContain(mine)
        expect.soft(answer.status, seen).toBe(line.foreign === 'own list' ? 200 : 404)
        if (line.foreign === 'own list') look(answer, { route, seen })
      }
    },

    /** Every route but those skipped does what its line says; what undoes things comes last. */
    succeed: async ({
      skips = () => false,
      after = async () => {},
    }: {
      readonly skips?: (route: Route) => boolean
      readonly after?: (route: Route, answer: Answer) => Promise<void>
    } = {}): Promise<void> => {
      const isLast = (route: Route): number => Number(lineOf(route).isLast ?? false)
      for (const route of routes().toSorted((a, b) => isLast(a) - isLast(b))) {
        if (skips(route)) continue
        const line = lineOf(route)
        const { answer, seen } = await send('own', route, asIntended(line))
        expect.soft(answer.status, seen).toBe(line.status ?? route.status ?? 200)
        await look(route, answer, seen)
        await after(route, answer)
      }
    },
  }
}
