import type { Permission, PersonalPermission, Static, TSchema } from '@countersign/wire'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Secret } from '../../kernel/crypto.ts'
import type { Agent, Caller, Person, Principal } from './principal.ts'

/**
 * Who may call a route. `anyone` is a word that has to be typed; `signed-in` is every person; `caller` is every person
 * and every API token; `agent-key` is every
 * holder of an agent key; a permission is a person, or a token where machines may, who has it. `agent-key or …` lets
 * both in: the key sees its own environment only.
 */
export type Needs = 'anyone' | 'signed-in' | 'caller' | 'agent-key' | Permission | `agent-key or ${Permission}`

type WhoFor<N extends Needs> = N extends 'anyone'
  ? Principal | undefined
  : N extends 'agent-key'
    ? Agent
    : N extends `agent-key or ${PersonalPermission}`
      ? Agent | Person
      : N extends `agent-key or ${string}`
        ? Principal
        : N extends 'signed-in' | PersonalPermission
          ? Person
          : Caller

type Shape<S> = S extends TSchema ? Static<S> : undefined

/** What is known of the request beside its input; for logs, limits and the trail. */
export type RequestFacts = {
  readonly id: string
  /** Of the client, after trusted proxies were taken into account. */
  readonly address: string
  readonly userAgent: string
  /** The Cookie header, for what a browser may hold beside its session. */
  readonly cookies?: Secret
}

export type RouteInput<N extends Needs, P, Q, B> = {
  readonly who: WhoFor<N>
  readonly params: Shape<P>
  readonly query: Shape<Q>
  readonly body: Shape<B>
  readonly facts: RequestFacts
  /** For streams and cookies only. */
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

type RouteWords<N extends Needs> = {
  /** What it does, for the reference and for refusals in the trail. */
  readonly does: string
  readonly method: Method
  /** Below the surface's prefix; parameters as `:name`. */
  readonly path: string
  readonly needs: N
  /**
   * What beside a verified session: `step-up`, a factor proven lately; `always`, one proven for this act alone. `before`
   * is a route one reaches on the way there: proving, adding and listing factors, the session itself.
   */
  readonly factor?: 'before' | 'step-up' | 'always'
  /** Of the answer; 200 unless told. */
  readonly status?: 200 | 201 | 202
  readonly bodyBytesMax?: number
  /** The handler answers through `reply` itself: streams, downloads, pages. */
  readonly answersItself?: boolean
}

export type Route = RouteWords<Needs> & {
  readonly params?: TSchema
  readonly query?: TSchema
  readonly body?: TSchema
  readonly answers?: TSchema
  // Each route was checked against its own schemas where it was written; the table holds them all.
  readonly handle: (input: RouteInput<never, never, never, never>) => Promise<unknown>
}

/** Types a route by its schemas: `handle` gets what they let through and must answer what they say. */
export function route<
  const N extends Needs,
  P extends TSchema | undefined = undefined,
  Q extends TSchema | undefined = undefined,
  B extends TSchema | undefined = undefined,
  A extends TSchema | undefined = undefined,
>(
  words: RouteWords<N> & {
    readonly params?: P
    readonly query?: Q
    readonly body?: B
    readonly answers?: A
    readonly handle: (input: RouteInput<N, P, Q, B>) => Promise<A extends TSchema ? Static<A> : unknown>
  },
): Route {
  return words as unknown as Route
}
