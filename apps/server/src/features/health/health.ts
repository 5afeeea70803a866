import type { Sql } from '../../kernel/db.ts'
import type { Workers } from '../../kernel/workers.ts'

export type Reach = { readonly connected: boolean; readonly latency_ms: number | null }

export type Health = {
  readonly status: 'ok' | 'degraded'
  readonly bootstrapComplete: boolean
  readonly database: Reach
  readonly redis: Reach & { readonly configured: boolean }
  readonly connectedAgents: number
  readonly workers: Readonly<Record<string, 'running' | 'stopped' | 'crashed'>>
  readonly isDraining: boolean
  readonly pendingMigrations: number
}

export type HealthNeeds = {
  readonly db: Sql
  readonly workers: Pick<Workers, 'health'>
  readonly redis: { readonly isConfigured: boolean; readonly ping: () => Promise<void> }
  readonly connectedAgents: () => number | Promise<number>
  readonly isTrailHealthy: () => Promise<boolean>
  readonly countPeople: (db: Sql) => Promise<number>
  readonly pendingMigrations: () => Promise<number>
  readonly isDraining: () => boolean
}

/** How long a part may take to answer before it counts as away: health must always answer within two seconds. */
const patienceMs = 1_200
/** What is asked after that, of a database that answered a moment ago. */
const detailPatienceMs = 700

export type ReadHealth = () => Promise<Health>

/** Asks every part at once. Never throws and never hangs: a part that does not answer is away. */
export function readHealth(needs: HealthNeeds): ReadHealth {
  // Once somebody exists somebody exists; while the database is away the last answer holds.
  let bootstrapComplete = false
  return async () => {
    const [database, redis] = await Promise.all([
      reach(() => needs.db.query('select 1')),
      needs.redis.isConfigured ? reach(needs.redis.ping) : { connected: false, latency_ms: null },
    ])
    const ask = <Value>(question: () => Value | Promise<Value>, otherwise: Value): Promise<Value> =>
      database.connected ? within(async () => question(), otherwise, detailPatienceMs) : Promise.resolve(otherwise)
    const [people, isTrailHealthy, connectedAgents, pendingMigrations] = await Promise.all([
      bootstrapComplete ? 1 : ask(() => needs.countPeople(needs.db), 0),
      ask(needs.isTrailHealthy, false),
      ask(needs.connectedAgents, 0),
      ask(needs.pendingMigrations, 0),
    ])
    bootstrapComplete = people > 0
    const workers = Object.fromEntries(Object.entries(needs.workers.health()).map(([name, { state }]) => [name, state]))
    const isWell =
      database.connected &&
      (redis.connected || !needs.redis.isConfigured) &&
      isTrailHealthy &&
      pendingMigrations === 0 &&
      // One that does not run here by the process's roles runs elsewhere.
      Object.values(workers).every((state) => state !== 'crashed')
    return {
      status: isWell ? 'ok' : 'degraded',
      bootstrapComplete,
      database,
      redis: { configured: needs.redis.isConfigured, ...redis },
      connectedAgents,
      workers,
      isDraining: needs.isDraining(),
      pendingMigrations,
    }
  }
}

async function reach(question: () => Promise<unknown>): Promise<Reach> {
  const begun = performance.now()
  const connected = await within(
    async () => {
      await question()
      return true
    },
    false,
    patienceMs,
  )
  return { connected, latency_ms: connected ? Math.round((performance.now() - begun) * 10) / 10 : null }
}

async function within<Value>(question: () => Promise<Value>, otherwise: Value, waitMs: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Value>((resolve) => {
    timer = setTimeout(() => {
      resolve(otherwise)
    }, waitMs)
  })
  try {
    return await Promise.race([question(), late])
  } catch {
    // The answer is the news: whoever asks for health learns that this part is away.
    return otherwise
  } finally {
    clearTimeout(timer)
  }
}

/** Why this process should not be sent requests, or nothing. */
export function unreadiness(health: Health, readyWithoutRedis: boolean): string | undefined {
  if (health.isDraining) return 'draining'
  if (!health.database.connected) return 'database away'
  if (health.pendingMigrations > 0) return 'migrations pending'
  const crashed = Object.entries(health.workers).find(([, state]) => state === 'crashed')
  if (crashed) return `worker ${crashed[0]} crashed`
  if (health.redis.configured && !health.redis.connected && !readyWithoutRedis) return 'redis away'
  return undefined
}
