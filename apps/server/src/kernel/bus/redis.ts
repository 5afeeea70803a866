import type { Redis } from 'ioredis'
import type { Relay } from '../bus.ts'
import type { Secret } from '../crypto.ts'
import type { Log } from '../log.ts'

/** Ids only: whoever can read them learns that something happened, and those of another database mean nothing here. */
const channel = 'countersign'
const retryMsMax = 2_000

export type RedisRelay = Relay & { readonly ping: () => Promise<void> }

/**
 * Carries the bus's ids by Redis or Valkey. While it is away the bus notifies through PostgreSQL, and what was being
 * carried as it went is found by the bus's sweep: nothing that matters is kept here.
 */
export function makeRedisRelay({ url, log }: { readonly url: Secret; readonly log: Log }): RedisRelay {
  let isAway = false
  const quietly = (client: Redis): Redis => {
    // Without a listener a broken connection would end the process. Told once, not with every attempt.
    client.on('error', (err: unknown) => {
      if (!isAway) log.warn({ err }, 'Redis is away; PostgreSQL carries notifications meanwhile')
      isAway = true
    })
    return client
  }
  const common = {
    lazyConnect: true,
    connectTimeout: 2_000,
    retryStrategy: (attempt: number) => Math.min(attempt * 100, retryMsMax),
  }
  let isSubscribed = false
  let clients: { readonly publisher: Redis; readonly subscriber: Redis } | undefined
  const makeClients = async () => {
    // Read only where there is a Redis: every other start, and its memory, can do without.
    const { Redis } = await import('ioredis')
    const publisher = quietly(
      new Redis(url.reveal(), { ...common, maxRetriesPerRequest: 1, enableOfflineQueue: false, commandTimeout: 1_000 }),
    )
    const subscriber = quietly(new Redis(url.reveal(), { ...common, maxRetriesPerRequest: null }))
    subscriber.on('close', () => {
      isSubscribed = false
    })
    subscriber.on('ready', () => {
      subscriber.subscribe(channel).then(
        () => {
          isSubscribed = true
          if (isAway) log.info({}, 'Redis is back')
          isAway = false
        },
        // The connection broke again; it comes back by itself and then subscribes.
        () => undefined,
      )
    })
    return { publisher, subscriber }
  }

  return {
    isAlive: () => clients?.publisher.status === 'ready' && isSubscribed,
    tell: (id) => {
      // Lost with Redis; the sweep of the others finds the row within a second.
      clients?.publisher.publish(channel, String(id)).catch(() => undefined)
    },
    start: async (onId) => {
      clients = await makeClients()
      const { publisher, subscriber } = clients
      subscriber.on('message', (_channel: string, message: string) => {
        const id = Number(message)
        if (Number.isSafeInteger(id) && id > 0) onId(id)
      })
      // A Redis that is away at the start is one that comes later.
      await Promise.allSettled([publisher.connect(), subscriber.connect()])
    },
    stop: () => {
      clients?.publisher.disconnect()
      clients?.subscriber.disconnect()
      return Promise.resolve()
    },
    ping: async () => {
      if (!clients) throw new Error('Redis is not asked before the start.')
      await clients.publisher.ping()
    },
  }
}
