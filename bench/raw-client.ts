import { connect } from 'node:net'

export type RawAnswer = {
  readonly status: number
  readonly bodyBytes: number
  /** Only when it was asked to be kept. */
  readonly text: string
}

export type RawClient = {
  /** Sends a whole request, head and body, of ASCII, and waits for the whole answer. */
  readonly ask: (request: string, isKept: boolean) => Promise<RawAnswer>
  readonly close: () => void
}

const lengthHeader = Buffer.from('content-length: ')
const headEnd = Buffer.from('\r\n\r\n')
// One for all: what is read is looked at before anything else is read.
const shared = Buffer.alloc(65_536)

/**
 * The smallest client there is, over one kept connection: server, database and load share a machine, and what the load
 * uses is not there for what is measured. Of every answer the status and the length are looked at.
 */
export function rawClient(url: string): RawClient {
  const { hostname, port } = new URL(url)
  let settle: { readonly resolve: (answer: RawAnswer) => void; readonly reject: (cause: Error) => void } | undefined
  let whole: Buffer[] | undefined
  let status = 0
  let bodyBytes = 0
  let left = 0

  const begin = (part: Buffer): void => {
    const end = part.indexOf(headEnd)
    const at = part.indexOf(lengthHeader)
    if (end < 0 || at < 0 || at > end) throw new Error('An answer came whose head is not one piece with a length')
    status = Number.parseInt(part.toString('latin1', 9, 12), 10)
    bodyBytes = Number.parseInt(part.toString('latin1', at + lengthHeader.length, end), 10)
    left = end + headEnd.length + bodyBytes
  }
  const read = (length: number, buffer: Uint8Array): boolean => {
    const part = Buffer.from(buffer.buffer, buffer.byteOffset, length)
    if (left === 0) begin(part)
    left -= length
    whole?.push(Buffer.from(part))
    if (left > 0) return true
    if (left < 0) throw new Error('More came than was announced')
    const kept = whole && Buffer.concat(whole)
    settle?.resolve({ status, bodyBytes, text: kept?.toString('utf8', kept.length - bodyBytes) ?? '' })
    return true
  }

  const socket = connect({
    host: hostname,
    port: Number(port),
    noDelay: true,
    onread: { buffer: shared, callback: read },
  })
  socket.on('error', (cause) => settle?.reject(cause))
  socket.on('close', () => settle?.reject(new Error('The connection was closed')))
  return {
    ask: (request, isKept) =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject }
        whole = isKept ? [] : undefined
        socket.write(request, 'latin1')
      }),
    close: () => {
      settle = undefined
      socket.destroy()
    },
  }
}
