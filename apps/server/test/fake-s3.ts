import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { s3Store } from '../src/features/anchors/index.ts'
import { Secret } from '../src/kernel/crypto.ts'

/** How the store misbehaves; several at once. */
export type Fault =
  | 'down'
  | 'silent'
  | 'failing'
  | 'refusing'
  | 'skewed'
  | 'no_lock'
  | 'ignores_lock'
  | 'forgets'
  | 'reads_wrong'
  | 'cuts_off'

type Version = {
  readonly id: string
  readonly at: Date
  readonly bytes: Buffer
  readonly lockedUntil: string | undefined
  readonly isMarker: boolean
}

const fakeBucket = 'anchors'

/** S3 as far as anchoring needs it, in this process, so that tests can break it. Real Object Lock is tested on radosgw. */
export async function fakeS3() {
  const objects = new Map<string, Version[]>()
  const faults = new Set<Fault>()
  let count = 0
  const put = (
    key: string,
    bytes: Buffer,
    more: { lockedUntil?: string | undefined; isMarker?: boolean } = {},
  ): void => {
    count += 1
    const { lockedUntil, isMarker = false } = more
    const version = { id: `v${count}`, at: new Date(1_700_000_000_000 + count * 1000), bytes, lockedUntil, isMarker }
    objects.set(key, [...(objects.get(key) ?? []), version])
  }
  const answer = async (request: IncomingMessage, reply: ServerResponse): Promise<void> => {
    const body = await readAll(request)
    if (faults.has('down')) return void request.socket.destroy()
    if (faults.has('silent')) return
    if (faults.has('failing')) return refuse(reply, 500, 'InternalError')
    if (faults.has('refusing')) return refuse(reply, 403, 'AccessDenied')
    if (faults.has('skewed')) return refuse(reply, 403, 'RequestTimeTooSkewed')
    const url = new URL(request.url ?? '/', 'http://s3')
    const [, bucket = '', ...rest] = decodeURIComponent(url.pathname).split('/')
    const key = rest.join('/')
    if (bucket !== fakeBucket) return refuse(reply, 404, 'NoSuchBucket')
    if (request.method === 'PUT') return write(key, body, request, reply)
    if (url.searchParams.has('object-lock')) return tellLock(reply)
    if (url.searchParams.has('versions')) return xml(reply, versionsXml(objects, url.searchParams.get('prefix') ?? ''))
    if (key === '') return xml(reply, listXml(objects, url.searchParams))
    read(key, url.searchParams.get('versionId'), reply)
  }
  const write = (key: string, body: Buffer, request: IncomingMessage, reply: ServerResponse): void => {
    if (request.headers['if-none-match'] === '*' && objects.has(key)) return refuse(reply, 412, 'PreconditionFailed')
    if (faults.has('no_lock')) return refuse(reply, 400, 'InvalidRequest')
    if (!faults.has('forgets')) {
      const until = request.headers['x-amz-object-lock-retain-until-date']
      const isCompliance = request.headers['x-amz-object-lock-mode'] === 'COMPLIANCE'
      put(key, body, { lockedUntil: isCompliance && !faults.has('ignores_lock') ? String(until) : undefined })
    }
    reply.writeHead(200, { etag: '"x"' }).end()
  }
  const tellLock = (reply: ServerResponse): void => {
    if (faults.has('no_lock')) return refuse(reply, 404, 'ObjectLockConfigurationNotFoundError')
    xml(reply, '<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>')
  }
  const read = (key: string, versionId: string | null, reply: ServerResponse): void => {
    const versions = objects.get(key) ?? []
    const found = versionId === null ? versions.at(-1) : versions.find(({ id }) => id === versionId)
    if (!found || found.isMarker) return refuse(reply, 404, 'NoSuchKey')
    const bytes = faults.has('reads_wrong') ? Buffer.from(found.bytes).fill(0x20, 3, 5) : found.bytes
    reply.writeHead(200, {
      'content-length': String(bytes.length),
      ...(found.lockedUntil !== undefined && {
        'x-amz-object-lock-mode': 'COMPLIANCE',
        'x-amz-object-lock-retain-until-date': found.lockedUntil,
      }),
    })
    if (!faults.has('cuts_off')) return void reply.end(bytes)
    reply.write(bytes.subarray(0, 10), () => reply.destroy())
  }
  const server = createServer((request, reply) => void answer(request, reply).catch(() => reply.destroy()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const connect = (patienceMs = 3_000) =>
    s3Store(
      { bucket: fakeBucket, region: undefined, endpoint, accessKeyId: 'test', secretAccessKey: new Secret('test') },
      { patienceMs },
    )
  return {
    endpoint,
    connect,
    /** What misbehaves from now on; nothing when none is named. */
    misbehave: (...which: readonly Fault[]) => {
      faults.clear()
      for (const fault of which) faults.add(fault)
    },
    objects,
    put,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

function refuse(reply: ServerResponse, status: number, code: string): void {
  reply.writeHead(status, { 'content-type': 'application/xml' })
  reply.end(`<Error><Code>${code}</Code><Message>${code}</Message></Error>`)
}

function xml(reply: ServerResponse, text: string): void {
  reply.writeHead(200, { 'content-type': 'application/xml' }).end(`<?xml version="1.0" encoding="UTF-8"?>${text}`)
}

function listXml(objects: ReadonlyMap<string, readonly Version[]>, query: URLSearchParams): string {
  const [prefix, after] = [query.get('prefix') ?? '', query.get('start-after') ?? '']
  const keys = [...objects]
    .filter(([key, versions]) => key.startsWith(prefix) && key > after && versions.at(-1)?.isMarker === false)
    .map(([key]) => key)
    .sort()
    .slice(0, Number(query.get('max-keys') ?? 1000))
  const contents = keys.map((key) => `<Contents><Key>${key}</Key></Contents>`)
  return `<ListBucketResult><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`
}

function versionsXml(objects: ReadonlyMap<string, readonly Version[]>, prefix: string): string {
  const rows = [...objects].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1))
  const found = rows.flatMap(([key, versions]) =>
    versions.toReversed().map(({ id, at, isMarker }) => {
      const tag = isMarker ? 'DeleteMarker' : 'Version'
      return `<${tag}><Key>${key}</Key><VersionId>${id}</VersionId><LastModified>${at.toISOString()}</LastModified></${tag}>`
    }),
  )
  return `<ListVersionsResult><IsTruncated>false</IsTruncated>${found.join('')}</ListVersionsResult>`
}
