import { ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'

/** Before a route is known nobody knows which client asks: `detail` is what all of them look for. */
export function unreadBytes(status: number, detail: string): Buffer {
  const title = STATUS_CODES[status] ?? 'Bad Request'
  return Buffer.from(JSON.stringify({ type: 'about:blank', title, status, detail, code: 'malformed' }))
}

export const unreadType = 'application/problem+json; charset=utf-8'

const whatHappened: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'The headers are too large.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'The chunk extensions are too large.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request did not arrive in time.'],
}

/** Answers what is no HTTP request, or not a whole one, and closes: where the next one begins cannot be told. */
export function refuseUnread(
  error: Error & { readonly code?: string },
  socket: Socket,
  security: readonly (readonly [string, string])[],
): void {
  // Where Node itself looks: an answer that has begun must not get another one's head into its body.
  const answering: unknown = Reflect.get(socket, '_httpMessage')
  const hasBegun = answering instanceof ServerResponse && answering.headersSent
  if (error.code === 'ECONNRESET' || !socket.writable || hasBegun) {
    socket.destroy()
    return
  }
  const [status, detail] = whatHappened[error.code ?? ''] ?? [400, 'This is no HTTP request.']
  const body = unreadBytes(status, detail)
  const own = [
    ['content-type', unreadType],
    ['content-length', `${body.length}`],
    ['connection', 'close'],
  ] as const
  const head = [...security, ...own].map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const start = Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${head}\r\n`)
  socket.end(Buffer.concat([start, body]), () => socket.destroy())
}
