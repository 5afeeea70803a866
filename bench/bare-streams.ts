import { createServer, type ServerResponse } from 'node:http'

/**
 * The least a Node server can do for streams, as a measure for ours: it holds each response and, when its parent says
 * so, writes one frame of the given length to all of them in a loop. Run as a child process by `streams.ts`.
 */
const held = new Set<ServerResponse>()
const server = createServer({ keepAliveTimeout: 76_000 }, (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  response.write(frame(100))
  held.add(response)
  response.once('close', () => held.delete(response))
})

function frame(bytes: number): string {
  return `event: contract_update\ndata: ${'x'.repeat(bytes)}\n\n`
}

process.on('message', (bytes: number) => {
  const text = Buffer.from(frame(bytes))
  for (const response of held) response.write(text)
})
server.listen({ host: '127.0.0.1', port: 0, backlog: 10_000 }, () => {
  const address = server.address()
  process.send?.({ port: typeof address === 'object' ? address?.port : undefined })
})
