import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply } from 'fastify'
import type { Frame } from './frame.ts'

/** One open response that frames go down. Nothing here holds the request, which is most of a connection's memory. */
export type Sink = {
  /** False when the reader should be given time to take what is waiting. */
  readonly write: (frame: Frame) => boolean
  /** Bytes that the reader has not taken yet. */
  readonly pendingBytes: () => number
  /** Ends the response as a server that is done with it does. */
  readonly end: () => void
  /** Cuts the connection of a reader who takes nothing, buffers included. */
  readonly cut: () => void
  readonly onDrain: (hear: () => void) => void
}

/**
 * Takes the reply over, sends the headers at once and answers the sink; nothing when the client is gone by now. Frames are written to the socket already wrapped
 * as chunks: one write instead of three, and one buffer shared by all readers.
 */
export function openSink(reply: FastifyReply, onClose: () => void): Sink | undefined {
  const headers = reply.getHeaders() as OutgoingHttpHeaders
  reply.hijack()
  const response = reply.raw
  // Gone while the request waited its turn: its close was told before anybody listened.
  if (response.destroyed || response.socket?.destroyed !== false) {
    response.destroy()
    return undefined
  }
  response.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  response.flushHeaders()
  response.once('close', onClose)
  forgetQuestion(response)
  forgetHeaders(response)
  if (reply.request.who?.is === 'agent') forgetReply(response)
  // A client that is gone without saying so is found by the operating system.
  response.socket?.setKeepAlive(true, 30_000)
  const socket = isChunked(response) ? response.socket : null
  return socket ? new SocketSink(response, socket) : overResponse(response)
}

/** Everything the request said was read; kept for as long as the answer lasts it would be a tenth of a stream's memory. */
function forgetQuestion({ req }: ServerResponse): void {
  req.rawHeaders = []
  req.headers = {}
}

/** The headers have gone out, and Node keeps their text only to know that there were some. */
function forgetHeaders(response: ServerResponse): void {
  Reflect.set(response, '_header', 'sent')
}

/**
 * Fastify keeps its request and reply until the answer ends, to run the hooks that log and count it. Streams of agents
 * are told of by the fleet instead, and there may be ten thousand.
 */
function forgetReply(response: ServerResponse): void {
  response.on('error', heardByClose)
  for (const event of ['finish', 'error'] as const) {
    for (const listener of response.listeners(event)) {
      if (listener.name === 'onResFinished') response.off(event, listener as () => void)
    }
  }
}

/** What goes wrong with a connection is followed by its close, which is listened for. */
function heardByClose(): void {}

/** Older HTTP has no chunks, and a pipelined request has no socket yet. */
function isChunked(response: ServerResponse): boolean {
  return response.chunkedEncoding && response.socket !== null
}

/** A class for its methods: ten thousand streams would each hold five functions of their own. */
class SocketSink implements Sink {
  readonly #response: ServerResponse
  readonly #socket: Socket

  constructor(response: ServerResponse, socket: Socket) {
    this.#response = response
    this.#socket = socket
  }

  write({ chunk }: Frame): boolean {
    return this.#socket.destroyed || this.#socket.write(chunk)
  }

  pendingBytes(): number {
    return this.#socket.writableLength
  }

  end(): void {
    this.#response.end()
  }

  cut(): void {
    this.#socket.destroy()
  }

  onDrain(hear: () => void): void {
    this.#socket.once('drain', hear)
  }
}

function overResponse(response: ServerResponse): Sink {
  return {
    write: ({ plain }) => response.destroyed || response.write(plain),
    pendingBytes: () => response.writableLength,
    end: () => response.end(),
    cut: () => response.destroy(),
    onDrain: (hear) => response.once('drain', hear),
  }
}
