/**
 * One event as bytes on the wire, made once and shared by all who read it. Agents' parsers want LF, exactly one space
 * after the colon and one data line (agent-api §3.2).
 */
export type Frame = {
  /** As it is. */
  readonly plain: Buffer
  /** Wrapped as one chunk of HTTP's chunked encoding, to go to a socket in one write. */
  readonly chunk: Buffer
}

/** Go's scanner and TypeScript's buffer lose a longer line. */
export const dataBytesMax = 900_000

const crlf = Buffer.from('\r\n')

export function makeFrame(text: string): Frame {
  const body = Buffer.from(text)
  const head = Buffer.from(`${body.length.toString(16)}\r\n`)
  const chunk = Buffer.concat([head, body, crlf])
  return { chunk, plain: chunk.subarray(head.length, head.length + body.length) }
}

/** `id` lets a console say where it left off; agents never do. */
export function eventFrame(name: string, data: string, id?: number): Frame {
  return makeFrame(`${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${data}\n\n`)
}

/** A comment keeps idle connections and the proxies between from closing. */
export const pingFrame = makeFrame(': ping\n\n')
