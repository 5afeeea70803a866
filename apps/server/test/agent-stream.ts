import { connect, type Socket } from 'node:net'

export type StreamEvent = { readonly name: string; readonly data: Record<string, unknown>; readonly id?: string }

export type AgentStream = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Whatever came so far, as it came. */
  readonly body: () => string
  readonly events: () => readonly StreamEvent[]
  readonly comments: () => number
  /** Waits for as many events (of one name) as said, and answers them. */
  readonly next: (count: number, name?: string) => Promise<readonly StreamEvent[]>
  readonly isClosed: () => boolean
  readonly closed: Promise<void>
  readonly pause: () => void
  readonly resume: () => void
  readonly close: () => void
}

type Options = {
  readonly key?: string
  readonly agent?: string
  readonly cookie?: string
  readonly userAgent?: string
  readonly headers?: Readonly<Record<string, string>>
}

const patienceMs = 10_000

/** A client of a stream that reads bytes, so that tests see what is on the wire and not what a library made of it. */
export async function openStream(url: string, path: string, options: Options = {}): Promise<AgentStream> {
  const { hostname, port } = new URL(url)
  const socket: Socket = connect({ host: hostname, port: Number(port) })
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: localhost:${port}`,
    ...(options.key === undefined ? [] : [`Authorization: Bearer ${options.key}`]),
    ...(options.agent === undefined ? [] : [`X-Edictum-Agent-Id: ${options.agent}`]),
    ...(options.cookie === undefined ? [] : [`Cookie: ${options.cookie}`]),
    ...(options.userAgent === undefined ? [] : [`User-Agent: ${options.userAgent}`]),
    ...Object.entries(options.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
  ]
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)

  const chunks: Buffer[] = []
  let raw = Buffer.alloc(0)
  let isClosed = false
  const wakers = new Set<() => void>()
  const wake = (): void => {
    for (const waker of [...wakers]) waker()
  }
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    wake()
  })
  const done = (): void => {
    isClosed = true
    wake()
  }
  socket.on('close', done).on('end', done).on('error', done)

  const all = (): Buffer => {
    if (chunks.length > 0) raw = Buffer.concat([raw, ...chunks.splice(0)])
    return raw
  }
  const headEnd = (): number => all().indexOf('\r\n\r\n')
  const until = <Value>(what: string, look: () => Value | undefined): Promise<Value> =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        wakers.delete(check)
        reject(new Error(`waited in vain for ${what}; the stream ${isClosed ? 'was closed' : 'is open'}: ${shown()}`))
      }, patienceMs)
      const check = (): void => {
        const value = look()
        if (value === undefined) return
        clearTimeout(late)
        wakers.delete(check)
        resolve(value)
      }
      wakers.add(check)
      check()
    })
  const shown = (): string => all().toString('utf8').slice(-600)

  await until('headers', () => (headEnd() >= 0 || isClosed ? true : undefined))
  const [statusLine = '', ...headerLines] = all().subarray(0, headEnd()).toString('latin1').split('\r\n')
  const headers = Object.fromEntries(
    headerLines.map((line) => {
      const at = line.indexOf(':')
      return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()]
    }),
  )
  const isChunked = headers['transfer-encoding'] === 'chunked'

  let read = 0
  let unread = Buffer.alloc(0)
  let text = ''
  let isEnded = false
  const body = (): string => {
    const bytes = all()
    const start = headEnd() + 4
    if (!isChunked) return bytes.subarray(start).toString('utf8')
    unread = Buffer.concat([unread, bytes.subarray(Math.max(start, read))])
    read = bytes.length
    for (;;) {
      const line = unread.indexOf('\r\n')
      if (line < 0) break
      const size = Number.parseInt(unread.subarray(0, line).toString('latin1'), 16)
      if (unread.length < line + 2 + size + 2) break
      if (size === 0) {
        isEnded = true
        socket.end()
        break
      }
      text += unread.subarray(line + 2, line + 2 + size).toString('utf8')
      unread = unread.subarray(line + 2 + size + 2)
    }
    return text
  }
  const frames = (): string[] => body().split('\n\n').slice(0, -1)
  const events = (): StreamEvent[] =>
    frames()
      // A comment, or an id alone, which only says where the stream is.
      .filter((frame) => !frame.startsWith(':') && !/^id: \d+$/.test(frame))
      .map((frame) => {
        const match = /^(?:id: (.*)\n)?event: (.+)\ndata: (.+)$/.exec(frame)
        if (!match) throw new Error(`not a frame every SDK reads: ${JSON.stringify(frame.slice(0, 200))}`)
        const [, id, name = '', data = ''] = match
        return { name, data: JSON.parse(data), ...(id !== undefined && { id }) }
      })

  // The end of the response is the end of the stream, whether or not the connection stays.
  const ended = new Promise<void>((resolve) => {
    const look = (): void => {
      body()
      if (!isEnded && !isClosed) return
      wakers.delete(look)
      resolve()
    }
    wakers.add(look)
    look()
  })

  return {
    status: Number(statusLine.split(' ')[1]),
    headers,
    body,
    events,
    comments: () => frames().filter((frame) => frame.startsWith(':')).length,
    next: (count, name) =>
      until(`${count} events${name === undefined ? '' : ` ${name}`}`, () => {
        const found = events().filter((event) => name === undefined || event.name === name)
        return found.length >= count ? found : undefined
      }),
    isClosed: () => {
      body()
      return isClosed || isEnded
    },
    closed: ended,
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: () => socket.destroy(),
  }
}

/** Looks again until it is so. */
export async function eventually<Value>(look: () => Value | Promise<Value>, holds: (value: Value) => boolean) {
  const end = performance.now() + patienceMs
  for (;;) {
    const value = await look()
    if (holds(value)) return value
    if (performance.now() > end)
      throw new Error(`it never came true; last seen: ${JSON.stringify(value)?.slice(0, 800)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
