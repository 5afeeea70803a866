import { expect } from 'vitest'
import type { Route } from '../src/features/roles/index.ts'
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

type Needs<Things> = {
  readonly routes: () => readonly Route[]
  readonly lines: Readonly<Record<string, Line<Things>>>
  readonly things: () => Things
  readonly ask: (who: 'own' | 'foreign', method: string, path: string, body: unknown) => Promise<Answer>
}

export const nameOf = ({ method, path }: Route): string => `${method} ${path}`

/** Walks every route of a surface by a table with a line for each; a surface says in words of its own what it looks for. */
export function routeMatrix<Things>({ routes, lines, things, ask }: Needs<Things>) {
  const lineOf = (route: Route): Line<Things> => lines[nameOf(route)] ?? {}
  const send = async (who: 'own' | 'foreign', route: Route, { params = {}, query, body }: Asked) => {
    const path = route.path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? 'missing'))
    const answer = await ask(who, route.method, query ? `${path}?${query}` : path, body)
    return { answer, seen: `${nameOf(route)}: ${answer.status} ${answer.text.slice(0, 300)}` }
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
        await after(route, answer)
      }
    },
  }
}
