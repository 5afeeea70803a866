import { Problem, problems } from '../../kernel/problem.ts'
import type { Caller, Connection } from './connection.ts'
import type { StreamLimits } from './hub-needs.ts'
import type { StreamsElsewhere } from './streams-elsewhere.ts'

/** The open streams of this process, found by where they are, whose they are and when they are tended. */
export type Registry = {
  readonly add: (connection: Connection) => void
  readonly remove: (connection: Connection) => void
  readonly requireRoom: (caller: Caller, perKey: number) => void
  readonly inEnvironment: (tenant: string, environment: string) => Iterable<Connection>
  readonly ofTenant: (tenant: string) => Iterable<Connection>
  readonly ofKey: (keyId: string) => Iterable<Connection>
  readonly all: () => Iterable<Connection>
  readonly count: () => number
  /** A share of them, another one each time, so that no moment has all the work. */
  readonly nextShare: () => readonly Connection[]
}

export const shares = 25

type Needs = {
  readonly limits: Pick<StreamLimits, 'perTenant'>
  readonly elsewhere: Pick<StreamsElsewhere, 'ofKey' | 'ofTenant'>
}

export function makeRegistry({ limits: { perTenant }, elsewhere }: Needs): Registry {
  const tenants = new Map<string, Map<string, Set<Connection>>>()
  const tenantCounts = new Map<string, number>()
  const keys = new Map<string, Set<Connection>>()
  const wheel = Array.from({ length: shares }, () => new Set<Connection>())
  const places = new Map<Connection, number>()
  let turn = 0

  const setsOf = (tenant: string): Iterable<Set<Connection>> => tenants.get(tenant)?.values() ?? []

  return {
    add: (connection) => {
      const { tenant, environment, keyId } = connection.caller
      const environments = tenants.get(tenant) ?? new Map<string, Set<Connection>>()
      tenants.set(tenant, environments)
      environments.set(environment, (environments.get(environment) ?? new Set()).add(connection))
      tenantCounts.set(tenant, (tenantCounts.get(tenant) ?? 0) + 1)
      keys.set(keyId, (keys.get(keyId) ?? new Set()).add(connection))
      const place = randomBelow(shares)
      places.set(connection, place)
      wheel[place]?.add(connection)
    },
    remove: (connection) => {
      const place = places.get(connection)
      if (place === undefined) return
      places.delete(connection)
      wheel[place]?.delete(connection)
      const { tenant, environment, keyId } = connection.caller
      tenants.get(tenant)?.get(environment)?.delete(connection)
      const left = (tenantCounts.get(tenant) ?? 1) - 1
      if (left > 0) tenantCounts.set(tenant, left)
      else {
        tenantCounts.delete(tenant)
        tenants.delete(tenant)
      }
      const ofKey = keys.get(keyId)
      ofKey?.delete(connection)
      if (ofKey?.size === 0) keys.delete(keyId)
    },
    requireRoom: ({ tenant, keyId }, perKey) => {
      const ofKey = (keys.get(keyId)?.size ?? 0) + elsewhere.ofKey(keyId)
      if (ofKey >= perKey) throw full(`This key has ${ofKey} streams open, which is its limit.`)
      const ofTenant = (tenantCounts.get(tenant) ?? 0) + elsewhere.ofTenant(tenant)
      if (ofTenant >= perTenant) throw full(`There are ${ofTenant} streams open, which is the limit.`)
    },
    inEnvironment: (tenant, environment) => tenants.get(tenant)?.get(environment) ?? [],
    ofTenant: function* (tenant) {
      for (const place of setsOf(tenant)) yield* place
    },
    ofKey: (keyId) => keys.get(keyId) ?? [],
    all: () => places.keys(),
    count: () => places.size,
    nextShare: () => {
      turn = (turn + 1) % shares
      return [...(wheel[turn] ?? [])]
    },
  }
}

function full(why: string): Problem {
  return new Problem(problems.unavailable, `${why} Close some, or try again later.`, { retryAfterSeconds: 30 })
}

/** Spreads things out; nothing about it needs to be unguessable. */
export function randomBelow(limit: number): number {
  const [number = 0] = globalThis.crypto.getRandomValues(new Uint32Array(1))
  return number % limit
}
