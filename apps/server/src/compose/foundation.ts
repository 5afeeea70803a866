import type { Config } from '../boot/config.ts'
import { tellWorkers } from '../features/health/index.ts'
import { marksOfKeys } from '../features/secrets/index.ts'
import { makeRedisRelay } from '../kernel/bus/redis.ts'
import { makeBus } from '../kernel/bus.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Keyring, Secret } from '../kernel/crypto.ts'
import type { Db } from '../kernel/db.ts'
import { type FromMemory, makeHttp } from '../kernel/http.ts'
import { idMaker } from '../kernel/ids.ts'
import type { Log } from '../kernel/log.ts'
import { makeMetrics } from '../kernel/metrics.ts'
import { makeWorkers } from '../kernel/workers.ts'

export type ComposeNeeds = {
  readonly config: Config
  readonly baseUrl: string
  readonly version: string
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
  /** Digests of what callers present. */
  readonly keyring: Keyring
  /** Seals what must be opened again. */
  readonly sealing: Keyring
  readonly setupSecret: Secret
  readonly pendingMigrations: () => Promise<number>
}

export type Foundation = ReturnType<typeof layFoundation>

/** What everything stands on and what knows no nouns: ids, workers, announcements, the door for HTTP. */
export function layFoundation(needs: ComposeNeeds, fromMemory: FromMemory) {
  const { config, baseUrl, db, clock, log } = needs
  const newId = idMaker(clock.now)
  const metrics = makeMetrics()
  const workers = makeWorkers({ clock, log })
  tellWorkers({ metrics, workers })
  const redis = config.redisUrl && makeRedisRelay({ url: config.redisUrl, log })
  const bus = makeBus({ db, clock, log, relay: redis, marks: marksOfKeys(needs) })
  const http = makeHttp({
    baseUrl,
    allowedHosts: config.allowedHosts,
    corsOrigins: config.corsOrigins,
    trustedProxies: config.trustedProxies,
    bodyBytesMax: 1_048_576,
    fromMemory,
  })
  return { ...needs, newId, metrics, workers, redis, bus, http, isSecure: baseUrl.startsWith('https:') }
}
