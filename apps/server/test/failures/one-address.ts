import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export type OneAddress = {
  readonly url: string
  /** New connections go to these servers: to the first, and to the next when it takes none. */
  readonly lead: (...urls: readonly string[]) => void
  readonly stop: () => Promise<void>
}

/** One address in front of several servers: passes bytes on and knows nothing of what they mean. */
export async function oneAddress(): Promise<OneAddress> {
  let targets: readonly URL[] = []
  const open = new Set<Socket>()
  const keep = (socket: Socket): void => {
    open.add(socket)
    socket.setNoDelay(true).on('close', () => open.delete(socket))
  }

  const pass = (near: Socket, [target, ...others]: readonly URL[]): void => {
    if (!target || near.destroyed) {
      near.destroy()
      return
    }
    const far = connect({ host: target.hostname, port: Number(target.port) })
    keep(far)
    // One that takes no connection has been told nothing yet, so the next may be asked.
    const tryNext = (): void => pass(near, others)
    far.once('error', tryNext)
    far.once('connect', () => {
      far.off('error', tryNext)
      for (const [from, to] of [[near, far] as const, [far, near] as const]) {
        from.on('error', () => to.destroy()).on('close', () => to.destroy())
        from.pipe(to)
      }
    })
  }

  const front = createServer((near) => {
    keep(near)
    near.on('error', () => near.destroy())
    pass(near, targets)
  }).listen(0, '127.0.0.1')
  await once(front, 'listening')
  return {
    url: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
    lead: (...urls) => {
      targets = urls.map((url) => new URL(url))
    },
    stop: async () => {
      for (const socket of open) socket.destroy()
      front.close()
      await once(front, 'close')
    },
  }
}
