import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export type Signer = { readonly publicKey: string; readonly privateKey: KeyObject }

export function makeSigner(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  return { publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(12).toString('hex'), privateKey }
}

export function signText(text: string | Buffer, { privateKey }: Signer): string {
  return sign(null, Buffer.from(text), privateKey).toString('base64')
}

type Live = { readonly name: string; readonly yaml: string; readonly version?: number; readonly at?: string }

/** What the server would send of a revision, whole and signed. Tests break what they want to see refused. */
export function servedBy(
  signer: Signer,
  { name, yaml, version = 1, at = '2026-01-01T00:00:00.000Z' }: Live,
): Record<string, unknown> {
  const bytes = Buffer.from(yaml)
  return {
    name,
    bundle_name: name,
    tenant_id: 't1',
    version,
    revision_hash: createHash('sha256').update(bytes).digest('hex'),
    yaml_bytes: bytes.toString('base64'),
    signature: signText(bytes, signer),
    public_key: signer.publicKey,
    deployed_at: at,
  }
}

type Handle = (request: { readonly body: string; readonly url: URL }, response: ServerResponse) => void

export type PretendServer = Awaited<ReturnType<typeof pretendServer>>

/** A server that says whatever a test wants it to: the outside world at its worst. */
export async function pretendServer(port = 0) {
  const streams = new Set<ServerResponse>()
  const asked: URL[] = []
  const events: Record<string, unknown>[] = []
  const manifests: Record<string, unknown>[] = []
  const own = new Map<string, Handle>()
  let onConnect: readonly Record<string, unknown>[] = []

  const answer = (response: ServerResponse, status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
  const frame = (data: unknown): string =>
    `event: contract_update\ndata: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const path = `${request.method ?? ''} ${url.pathname}`
    const special = [...own].find(([start]) => path.startsWith(start))
    if (special) return special[1]({ body, url }, response)
    if (path === 'GET /v1/stream') {
      asked.push(url)
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.flushHeaders()
      streams.add(response)
      response.on('close', () => streams.delete(response))
      for (const data of onConnect) response.write(frame(data))
      return
    }
    if (path === 'POST /v1/events') {
      const sent = JSON.parse(body) as { events: Record<string, unknown>[]; agent_manifest?: Record<string, unknown> }
      events.push(...sent.events)
      if (sent.agent_manifest) manifests.push(sent.agent_manifest)
      return answer(response, 200, { accepted: sent.events.length, duplicates: 0 })
    }
    answer(response, 404, { detail: 'Not Found' })
  }

  const server: Server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const address = server.address() as AddressInfo

  const stop = async (): Promise<void> => {
    if (!server.listening) return
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  onTestFinished(stop)

  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    /** Queries of the streams that were opened, in order. */
    asked,
    events,
    manifests,
    answer,
    /** Sends this to every stream as it opens. */
    greetWith: (...data: readonly Record<string, unknown>[]): void => {
      onConnect = data
    },
    push: (data: unknown): void => {
      for (const stream of streams) stream.write(frame(data))
    },
    pushRaw: (text: string): void => {
      for (const stream of streams) stream.write(text)
    },
    cut: (): void => {
      for (const stream of streams) stream.destroy()
    },
    /** Takes a route over: `GET /v1/stream`, `POST /v1/approvals` … */
    on: (path: string, special: Handle): void => {
      own.set(path, special)
    },
    off: (path: string): void => {
      own.delete(path)
    },
    stop,
  }
}
