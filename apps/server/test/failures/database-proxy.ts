import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export type DatabaseProxy = {
  /** The database as seen through this proxy. */
  readonly url: string
  /** Ends every connection at once and refuses new ones, as when the server is stopped. */
  readonly cut: () => void
  /** Takes connections and bytes and passes nothing on, as when a network drops packets. */
  readonly stall: () => void
  /** The next message with these words reaches the database, and its connection breaks before the answer comes back. */
  readonly loseAnswerTo: (words: string) => void
  readonly restore: () => void
  readonly stop: () => Promise<void>
}

/** Stands between a server and its database, so that a test can take the database away from that server alone. */
export async function databaseProxy(databaseUrl: string): Promise<DatabaseProxy> {
  const target = new URL(databaseUrl)
  const pairs = new Set<readonly [Socket, Socket]>()
  let state: 'through' | 'cut' | 'stalled' = 'through'
  let losesAnswerTo: string | undefined
  const proxy = createServer((near) => {
    if (state === 'cut') {
      near.resetAndDestroy()
      return
    }
    const far = connect({ host: target.hostname, port: Number(target.port) })
    const pair = [near, far] as const
    pairs.add(pair)
    const both = (): void => {
      near.destroy()
      far.destroy()
      pairs.delete(pair)
    }
    let isLost = false
    near.on('data', (chunk: Buffer) => {
      if (losesAnswerTo !== undefined && chunk.includes(losesAnswerTo)) {
        losesAnswerTo = undefined
        isLost = true
      }
      if (state === 'through') far.write(chunk)
    })
    far.on('data', (chunk: Buffer) => {
      if (isLost) both()
      else if (state === 'through') near.write(chunk)
    })
    for (const end of pair) end.setNoDelay(true).on('error', both).on('close', both)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const end = (): void => {
    for (const [near, far] of pairs) {
      near.resetAndDestroy()
      far.destroy()
    }
    pairs.clear()
  }
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String((proxy.address() as AddressInfo).port)
  return {
    url: url.href,
    cut: () => {
      state = 'cut'
      end()
    },
    stall: () => {
      state = 'stalled'
    },
    loseAnswerTo: (words) => {
      losesAnswerTo = words
    },
    restore: () => {
      // What was swallowed is lost, so connections of that time are of no use any more.
      if (state === 'stalled') end()
      state = 'through'
    },
    stop: async () => {
      end()
      proxy.close()
      await once(proxy, 'close')
    },
  }
}
