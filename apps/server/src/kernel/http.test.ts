import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { type HttpOptions, makeHttp, toProblem } from './http.ts'

const plain: HttpOptions = {
  baseUrl: 'http://localhost:8000',
  bodyBytesMax: 1_024,
  trustedProxies: [],
  allowedHosts: [],
  corsOrigins: [],
}

test('nobody has for ever to send a request: its head must be there in a minute, all of it in five', async () => {
  const http = makeHttp(plain)
  await http.ready()
  expect(http.server).toMatchObject({ headersTimeout: 60_000, requestTimeout: 300_000, timeout: 0 })
  await http.close()
})

test('a connection that was opened and never used does not hold up the end', async () => {
  const http = makeHttp(plain)
  http.get('/', async () => ({ is: 'fine' }))
  await http.listen({ host: '127.0.0.1', port: 0 })
  const { port } = http.server.address() as { readonly port: number }
  const silent = connect(port, '127.0.0.1')
  const used = connect(port, '127.0.0.1')
  used.write('GET / HTTP/1.1\r\nHost: localhost:8000\r\n\r\n')
  const [answer] = (await once(used, 'data')) as [Buffer]
  expect(answer.toString()).toContain('200 OK')
  const ends = Promise.all([silent, used].map((socket) => once(socket, 'close')))
  // Node would wait for a first request for a minute and more.
  await http.close()
  await ends
})

test('a request that comes on a connection from before the end is answered, and the connection closed', async () => {
  const http = makeHttp(plain)
  http.get('/', async () => ({ is: 'fine' }))
  await http.listen({ host: '127.0.0.1', port: 0 })
  const { port } = http.server.address() as { readonly port: number }
  const late = connect(port, '127.0.0.1')
  await Promise.all([once(late, 'connect'), once(http.server, 'connection')])
  const closed = http.close()
  const [answer] = (await Promise.all([
    once(late, 'data'),
    new Promise((sent) => late.write('GET / HTTP/1.1\r\nHost: localhost:8000\r\n\r\n', sent)),
  ])) as unknown as [[Buffer], unknown]
  expect(answer[0].toString()).toMatch(/^HTTP\/1.1 200 OK/)
  expect(answer[0].toString()).toMatch(/^connection: close/im)
  await closed
})

test('pages of an allowed origin may send what our clients send; other pages are told nothing', async () => {
  const http = makeHttp({ ...plain, corsOrigins: ['https://tools.example.com'] })
  http.get('/', async () => ({ is: 'fine' }))
  const asked = (origin: string) =>
    http.inject({ method: 'OPTIONS', url: '/', headers: { host: 'localhost:8000', origin } })
  const allowed = (await asked('https://tools.example.com')).headers
  expect(allowed['access-control-allow-origin']).toBe('https://tools.example.com')
  for (const name of ['Authorization', 'X-CSRF-Token', 'X-Mfa-Totp', 'X-MFA-WebAuthn'])
    expect(allowed['access-control-allow-headers']).toContain(name)
  expect(allowed['access-control-expose-headers']).toContain('X-MFA-Required')
  const others = (await asked('https://evil.example')).headers
  expect(Object.keys(others).filter((name) => name.startsWith('access-control'))).toEqual([])
  await http.close()
})

test('only a plain GET is asked about in memory, by the path its route has', async () => {
  const asked: string[] = []
  const http = makeHttp({
    ...plain,
    baseUrl: 'https://example.com/countersign/',
    corsOrigins: ['https://tools.example.com'],
    fromMemory: (_request, path) => {
      asked.push(path)
      return path === '/kept' ? { contentType: 'text/plain', bytes: Buffer.from('kept') } : undefined
    },
  })
  http.all('/kept', (_request, reply) => reply.type('text/plain').send('made'))
  http.get('/other', (_request, reply) => reply.type('text/plain').send('made'))
  const url = await http.listen({ host: '127.0.0.1', port: 0 })
  const text = async (path: string, init: RequestInit = {}) => (await fetch(`${url}${path}`, init)).text()
  expect(await text('/kept')).toBe('kept')
  expect(await text('/countersign/kept')).toBe('kept')
  expect(await text('/other')).toBe('made')
  expect(asked).toEqual(['/kept', '/kept', '/other'])
  expect(await text('/kept', { method: 'POST' })).toBe('made')
  expect(await text('/kept', { headers: { origin: 'https://tools.example.com' } })).toBe('made')
  expect((await fetch(`${url}/kept`, { method: 'HEAD' })).status).toBe(200)
  expect(asked).toHaveLength(3)
  const [kept, made] = [await fetch(`${url}/kept`), await fetch(`${url}/kept`, { method: 'POST' })]
  const names = (answer: Response) => [...answer.headers.keys()].filter((name) => name !== 'content-type').toSorted()
  expect(names(kept)).toEqual(names(made))
  await http.close()
})

/** Sends bytes as they are, and answers all that came until the server closed. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.write(bytes)
  await once(socket, 'close')
  return Buffer.concat(chunks).toString()
}

test('what cannot be read is told in words every client looks for, and nothing of what was sent comes back', async () => {
  const http = makeHttp(plain)
  http.setErrorHandler((error, _request, reply) => {
    const problem = toProblem(error)
    return reply.code(problem?.kind.status ?? 500).send({ detail: problem?.detail })
  })
  http.addHook('onRequest', async ({ headers }, reply) => {
    if (headers.authorization === undefined) return reply.code(401).send({ detail: 'Who?' })
  })
  http.post('/things/:id', async ({ body }) => ({ body }))
  await http.listen({ host: '127.0.0.1', port: 0 })
  const { port } = http.server.address() as { readonly port: number }
  const post = (path: string, body: string, headers = '') =>
    exchange(
      port,
      `POST ${path} HTTP/1.1\r\nHost: localhost:8000\r\nContent-Type: application/json\r\nConnection: close\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
  const key = 'Authorization: Bearer x\r\n'

  const noRequest = await exchange(port, 'hunter2\r\n\r\n')
  expect(noRequest).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*x-content-type-options: nosniff/)
  expect(noRequest).toContain('"detail":"This is no HTTP request."')
  const large = await exchange(port, `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'a'.repeat(100_000)}\r\n\r\n`)
  expect(large).toMatch(/^HTTP\/1\.1 431 /)
  expect(large).toContain('"detail":"The headers are too large."')
  const badPath = await post('/things/%zz', '{}', key)
  expect(badPath).toMatch(/^HTTP\/1\.1 400 [\s\S]*x-request-id: [0-9a-f]{12}/)
  expect(badPath).toContain('"detail":"The path is not a valid URL path."')
  expect(badPath).not.toContain('%zz')

  expect(await post('/things/1', '{"password":hunter2}', key)).toContain(
    `"detail":"The body is not valid JSON: Unexpected token 'h'"`,
  )
  expect(await post('/things/1', '\ufeff{}', key)).toContain('Unexpected token byte order mark')
  expect(await post('/things/1', 'packed', `${key}Content-Encoding: gzip\r\n`)).toMatch(/^HTTP\/1\.1 415 /)

  // Who asks before he sends is told to go on only when the body is wanted.
  const ask = 'Expect: 100-continue\r\n'
  expect(await post('/things/1', '{"a":1}', `${key}${ask}`)).toMatch(
    /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/,
  )
  expect(await post('/things/1', '{"a":1}', ask)).toMatch(/^HTTP\/1\.1 401 /)
  expect(await post('/things/1', `"${'a'.repeat(2_000)}"`, `${key}${ask}`)).toMatch(/^HTTP\/1\.1 413 /)
  await http.close()
})
