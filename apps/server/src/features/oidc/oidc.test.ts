import { type Lies, type LyingIdp, startIdp, startLyingIdp } from '@countersign/idp-sim'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../test/database.ts'
import { freePort } from '../../../test/free-port.ts'
import { type Answer, serverApart, type TestServer, type TestTenant, testServer } from '../../../test/server.ts'
import { testClock } from '../../kernel/clock.ts'

const client = { id: 'countersign', secret: 'a secret between us and the provider' }

let database: TestDatabase
let server: TestServer
let idp: LyingIdp
let acme: TestTenant
const logged: string[] = []

beforeAll(async () => {
  idp = await startLyingIdp(client)
  database = await testDatabase()
  server = await testServer({
    databaseUrl: database.url,
    environment: { COUNTERSIGN_OIDC_PROVIDERS: JSON.stringify(providers()) },
    onLog: (line) => logged.push(line),
  })
  acme = await server.newTenant('acme')
})

afterAll(async () => {
  await server.stop()
  await idp.stop()
  await database.drop()
})

beforeEach(() => {
  idp.lie({})
})

function providers() {
  const common = { issuer: idp.issuer, client_id: client.id, client_secret: client.secret }
  return [
    { name: 'acme', title: 'Acme SSO', allowed_domains: ['example.com'], ...common },
    {
      name: 'grouped',
      groups_claim: 'teams',
      group_roles: {
        ops: ['ops@staging', 'viewer'],
        chiefs: ['admin'],
        east: ['deployer@:east', 'ops@staging:acme/east', 'ops@nowhere', 'ops@:No Rack'],
      },
      ...common,
    },
  ]
}

type Left = { readonly address: string; readonly errand: string }

async function leave(provider = 'acme', returnTo = '/agents', at = server): Promise<Left> {
  const answer = await at.call('GET', `/api/v2/sign-in/${provider}?return_to=${encodeURIComponent(returnTo)}`)
  expect(answer.status).toBe(302)
  const [errand = ''] = (answer.headers.get('set-cookie') ?? '').split(';')
  return { address: answer.headers.get('location') ?? '', errand }
}

const comeBack = (query: string, errand: string | undefined, provider = 'acme', at = server): Promise<Answer> =>
  at.call('GET', `/api/v2/sign-in/${provider}/callback${query}`, {
    headers: errand === undefined ? {} : { cookie: errand },
  })

async function pass(claims: Readonly<Record<string, unknown>>, provider = 'acme'): Promise<Answer> {
  const { address, errand } = await leave(provider)
  return comeBack(idp.signIn(address, { sub: String(claims['email']), ...claims }), errand, provider)
}

const sessionIn = (answer: Answer): string | undefined =>
  /countersign_session=([\w-]+)/.exec(answer.headers.get('set-cookie') ?? '')?.[0]

function refused(answer: Answer, reason: string): void {
  expect(answer.headers.get('location')).toBe(`/sign-in?error=${reason}`)
  expect(sessionIn(answer)).toBeUndefined()
}

const member = (role: string, email?: string) => server.newPerson(acme, [{ role, environment: null }], email)

describe('signing in at a provider', () => {
  test('sends the browser off with state, nonce and a PKCE challenge, none of which stays here in clear', async () => {
    const { address, errand } = await leave()
    const asked = new URL(address).searchParams
    expect(Object.fromEntries(asked)).toMatchObject({
      response_type: 'code',
      code_challenge_method: 'S256',
      redirect_uri: 'http://localhost:8000/api/v2/sign-in/acme/callback',
    })
    for (const name of ['state', 'nonce', 'code_challenge']) expect(asked.get(name)).toMatch(/^[\w-]{43}$/)
    const rows = await server.db.query<{ text: string }>(`select a::text as text from sign_in_attempts as a`)
    for (const { text } of rows)
      for (const secret of [asked.get('state'), asked.get('nonce'), errand.split('=')[1]])
        expect(text).not.toContain(secret ?? 'missing')
  })

  test('lets in who was invited, by verified address, and knows them by subject from then on', async () => {
    const invited = await server.call('POST', '/api/v2/people', {
      cookie: acme.cookie,
      body: { email: 'new@example.com', roles: [{ role: 'viewer', environment: null }] },
    })
    expect(invited.status).toBe(201)
    const first = await pass({ email: 'New@Example.com', sub: 'subject-1' })
    expect(first.headers.get('location')).toBe('/agents')
    const cookie = sessionIn(first) ?? ''
    const { body } = await server.call('GET', '/api/v2/session', { cookie })
    expect(body).toMatchObject({ person: { email: 'new@example.com' }, permissions: expect.any(Array) as unknown[] })
    // The address changed at the provider; the person is the same.
    expect(sessionIn(await pass({ email: 'married@example.com', sub: 'subject-1' }))).toBeDefined()
    // Somebody else was given the old address.
    refused(await pass({ email: 'new@example.com', sub: 'subject-2' }), 'another_identity')
  })

  test('refuses who is unknown, of a foreign domain, unverified or suspended, each on record and without the address', async () => {
    const person = await member('viewer')
    refused(await pass({ email: 'stranger@example.com' }), 'unknown')
    refused(await pass({ email: 'a@evil.example' }), 'domain')
    refused(await pass({ email: person.email, email_verified: false }), 'unverified_email')
    await server.call('POST', `/api/v2/people/${person.person}/suspension`, {
      cookie: acme.cookie,
      body: { reason: 'left' },
    })
    refused(await pass({ email: person.email }), 'inactive')
    const rows = await server.db.query<{ text: string }>(
      `select convert_from(e.bytes, 'UTF8') as text from trail_entries as e where e.act = 'session.refused'`,
    )
    const reasons = rows.map(({ text }) => (JSON.parse(text) as { details: { reason: string } }).details.reason)
    expect(reasons).toEqual(expect.arrayContaining(['unknown', 'domain', 'unverified_email', 'inactive']))
    for (const { text } of rows) expect(text).not.toMatch(/stranger@|evil\.example/)
  })

  test('begins a new session, whatever token the browser came with', async () => {
    const person = await member('viewer')
    const { address, errand } = await leave()
    const planted = `countersign_session=${'P'.repeat(43)}`
    const answer = await comeBack(idp.signIn(address, { sub: 'fix', email: person.email }), `${planted}; ${errand}`)
    expect(sessionIn(answer)).toBeDefined()
    expect(sessionIn(answer)).not.toBe(planted)
    expect((await server.call('GET', '/api/v2/session', { cookie: planted })).status).toBe(401)
  })

  test('returns only to pages of ours', async () => {
    const person = await member('viewer')
    for (const evil of ['https://evil.example', '//evil.example', '/\\evil.example']) {
      const { address, errand } = await leave('acme', evil)
      const answer = await comeBack(idp.signIn(address, { sub: 'home', email: person.email }), errand)
      expect(answer.headers.get('location')).toBe('/')
    }
  })
})

describe('a state', () => {
  test('works once, in the browser that left, and at the provider it was made for', async () => {
    const person = await member('viewer')
    const claims = { sub: 'state', email: person.email }
    const one = await leave()
    const query = idp.signIn(one.address, claims)
    refused(await comeBack(query, undefined), 'state')
    const two = await leave()
    const three = await leave()
    refused(await comeBack(idp.signIn(two.address, claims), three.errand), 'state')
    const four = await leave()
    refused(await comeBack(idp.signIn(four.address, claims), four.errand, 'grouped'), 'state')
    const five = await leave()
    const good = idp.signIn(five.address, claims)
    expect(sessionIn(await comeBack(good, five.errand))).toBeDefined()
    refused(await comeBack(good, five.errand), 'state')
    refused(await comeBack('?code=x&state=made-up', five.errand), 'state')
    refused(await comeBack('', five.errand), 'state')
  })

  test('is worthless after ten minutes', async () => {
    const clock = testClock('2027-01-01T00:00:00.000Z')
    const slow = await serverApart({
      clock,
      environment: { COUNTERSIGN_OIDC_PROVIDERS: JSON.stringify(providers()) },
    })
    const { address, errand } = await leave('acme', '/', slow)
    await clock.jumpBy(601_000)
    refused(
      await comeBack(idp.signIn(address, { sub: 'late', email: 'late@example.com' }), errand, 'acme', slow),
      'state',
    )
    await slow.stop()
  })
})

describe('a provider that lies', () => {
  const now = Math.floor(Date.now() / 1000)
  const lies: readonly (readonly [what: string, lie: Lies])[] = [
    ['a token for another client', { claims: { aud: 'somebody-else' } }],
    ['a token of another issuer', { claims: { iss: 'https://evil.example' } }],
    ['a nonce of another sign-in', { claims: { nonce: 'replayed' } }],
    ['no nonce', { claims: { nonce: undefined } }],
    ['a token that has expired', { claims: { iat: now - 7200, exp: now - 3600 } }],
    ['a token from the far future', { claims: { iat: now + 7200, nbf: now + 7200, exp: now + 9000 } }],
    ['a token signed with another key', { signs: 'with another key' }],
    ['a token signed with the shared secret', { signs: 'with the secret' }],
    ['an unsigned token', { signs: 'not at all' }],
    ['an error', { answers: 'with an error' }],
    ['a page instead of a token', { answers: 'with nonsense' }],
    ['an answer that never comes', { answers: 'never' }],
  ]
  for (const [what, lie] of lies) {
    test(`lets nobody in with ${what}`, async () => {
      const { address, errand } = await leave()
      const query = idp.signIn(address, { sub: 'liar', email: acme.email })
      idp.lie(lie)
      refused(await comeBack(query, errand), 'provider')
    })
  }

  test('whose clock is a few seconds off still works', async () => {
    const person = await member('viewer')
    const { address, errand } = await leave()
    const query = idp.signIn(address, { sub: 'skew', email: person.email })
    idp.lie({ claims: { iat: Math.floor(Date.now() / 1000) + 10, exp: Math.floor(Date.now() / 1000) + 300 } })
    expect(sessionIn(await comeBack(query, errand))).toBeDefined()
  })

  test('and the secret, the code and the tokens are in no log', () => {
    for (const line of logged) expect(line).not.toMatch(/a secret between us|id_token|eyJ/)
  })
})

describe('groups', () => {
  test('become roles at each sign-in, and none that gives a role lets nobody in', async () => {
    const person = await member('viewer')
    const sub = person.email
    expect(sessionIn(await pass({ sub, email: person.email, teams: ['ops', 'chess'] }, 'grouped'))).toBeDefined()
    const read = async () =>
      (
        (await server.call('GET', `/api/v2/people/${person.person}`, { cookie: acme.cookie })).body as {
          roles: unknown
        }
      ).roles
    expect(await read()).toEqual([
      { role: 'ops', environment: 'staging', rack: null },
      { role: 'viewer', environment: null, rack: null },
    ])
    refused(await pass({ sub, email: person.email, teams: ['chess'] }, 'grouped'), 'no_role')
    expect(sessionIn(await pass({ sub, email: person.email, teams: ['chiefs'] }, 'grouped'))).toBeDefined()
    expect(await read()).toEqual([{ role: 'admin', environment: null, rack: null }])
    // Places that are not there give nothing, and keep nobody out.
    expect(sessionIn(await pass({ sub, email: person.email, teams: ['east'] }, 'grouped'))).toBeDefined()
    expect(await read()).toEqual([
      { role: 'deployer', environment: null, rack: 'east' },
      { role: 'ops', environment: 'staging', rack: 'acme/east' },
    ])
  })

  test('never take the last administrator away', async () => {
    const globex = await server.newTenant()
    expect(sessionIn(await pass({ sub: 'boss', email: globex.email, teams: ['ops'] }, 'grouped'))).toBeDefined()
    const [row] = await server.db.query<{ count: number }>(
      `select count(*) as count from role_grants as g where g.tenant_id = $1 and g.role = 'admin'`,
      [globex.tenant],
    )
    expect(row?.count).toBe(1)
  })
})

describe('newcomers', () => {
  const common = () => ({ issuer: idp.issuer, client_id: client.id, client_secret: client.secret })
  const apart = () =>
    serverApart({
      environment: {
        COUNTERSIGN_OIDC_PROVIDERS: JSON.stringify([
          {
            name: 'open',
            allowed_domains: ['example.com'],
            admits_newcomers: true,
            newcomer_role: 'approver',
            ...common(),
          },
          {
            name: 'grouped',
            allowed_domains: ['example.com'],
            admits_newcomers: true,
            group_roles: { ops: ['ops@staging'] },
            ...common(),
          },
          { name: 'closed', allowed_domains: ['example.com'], ...common() },
        ]),
      },
    })
  const come = async (at: TestServer, claims: Readonly<Record<string, unknown>>, provider = 'open') => {
    const { address, errand } = await leave(provider, '/', at)
    const query = idp.signIn(address, { sub: String(claims['email']), ...claims })
    return comeBack(query, errand, provider, at)
  }

  test('are made at their first sign-in, on record, with the role that was named, where a provider may', async () => {
    const own = await apart()
    const only = await own.newTenant()
    refused(await come(own, { email: 'ann@example.com' }, 'closed'), 'unknown')
    const first = await Promise.all([1, 2].map(() => come(own, { email: 'ann@example.com', name: 'Ann' })))
    const [cookie = ''] = first.map((answer) => sessionIn(answer) ?? '')
    const { body } = await own.call('GET', '/api/v2/session', { cookie })
    expect(body).toMatchObject({ person: { email: 'ann@example.com', name: 'Ann' } })
    const people = await own.db.query(`select p.id from people as p where p.email = 'ann@example.com'`)
    expect(people).toHaveLength(1)
    const entries = await own.db.query<{ text: string }>(
      `select convert_from(e.bytes, 'UTF8') as text from trail_entries as e where e.act = 'person.admitted' and e.tenant_id = $1`,
      [only.tenant],
    )
    expect(entries).toHaveLength(1)
    expect(JSON.parse(entries[0]?.text ?? '')).toMatchObject({
      actor: { id: 'identity provider open' },
      details: { roles: ['approver'] },
    })
    expect(entries[0]?.text).not.toContain('ann@example.com')

    refused(await come(own, { email: 'eve@evil.example' }), 'domain')
    refused(await come(own, { email: 'eve@example.com', email_verified: false }), 'unverified_email')
    refused(await come(own, { email: 'eve@example.com', teams: [] }, 'grouped'), 'no_role')
    expect(await own.db.query(`select p.id from people as p where p.email like 'eve%'`)).toEqual([])
    expect(sessionIn(await come(own, { email: 'olli@example.com', groups: ['ops'] }, 'grouped'))).toBeDefined()
    await own.stop()
  })

  test('whom an administrator removed stay removed, and nobody is made where tenants would have to be guessed', async () => {
    const own = await apart()
    const only = await own.newTenant()
    expect(sessionIn(await come(own, { email: 'bob@example.com' }))).toBeDefined()
    const [bob] = await own.db.query<{ id: string }>(`select p.id from people as p where p.email = 'bob@example.com'`)
    const removed = await own.call('DELETE', `/api/v2/people/${bob?.id ?? ''}`, { cookie: only.cookie })
    expect(removed.status, removed.text).toBe(200)
    refused(await come(own, { email: 'bob@example.com' }), 'inactive')
    await own.newTenant()
    refused(await come(own, { email: 'carol@example.com' }), 'unknown')
    await own.stop()
  })
})

test('passwords can be switched off once an administrator came in through a provider, and then open nothing', async () => {
  const initech = await server.newTenant()
  const off = () =>
    server.call('PUT', '/api/v2/settings/sign_in.password', { cookie: initech.cookie, body: { value: false } })
  expect((await off()).status).toBe(409)
  expect(sessionIn(await pass({ sub: 'initech', email: initech.email }))).toBeDefined()
  const people = (cookie: string, method: string, path: string, body: unknown) =>
    server.call(method, `/api/v2/people${path}`, { cookie, body })
  const second = await server.newPerson(initech, [{ role: 'admin', environment: null }])
  const third = await people(initech.cookie, 'POST', '', {
    email: 'third@example.com',
    roles: [{ role: 'viewer', environment: null }],
  })
  expect((await off()).status).toBe(200)
  await expect(server.signIn(initech.email)).rejects.toThrow('401')
  // An invitation that was under way lets nobody in past the provider, and works again when passwords do.
  const { link } = third.body as { link: string }
  const accept = () =>
    server.call('POST', '/api/v2/links/acceptance', {
      body: { link: link.split('#')[1], password: server.password },
      headers: { 'x-requested-with': 'countersign' },
    })
  expect(await accept()).toMatchObject({ status: 403, body: { code: 'forbidden' } })
  // Nor is the last administrator whom a provider lets in taken away afterwards, by one who only has a password.
  const demotion = { roles: [{ role: 'viewer', environment: null }] }
  for (const [method, path, body] of [
    ['PATCH', initech.person, demotion],
    ['POST', `${initech.person}/suspension`, { reason: 'away' }],
    ['POST', `${initech.person}/lock`, { reason: 'lost laptop' }],
    ['DELETE', initech.person, undefined],
  ] as const)
    expect((await people(second.cookie, method, `/${path}`, body)).status, `${method} ${path}`).toBe(409)
  await server.call('DELETE', '/api/v2/settings/sign_in.password', { cookie: second.cookie })
  expect((await people(second.cookie, 'PATCH', `/${initech.person}`, demotion)).status).toBe(200)
  expect((await accept()).status).toBe(200)
  expect(sessionIn(await pass({ sub: 'initech', email: initech.email }))).toBeDefined()
})

test('a provider that is away is told so in words, and the next who tries is served when it is back', async () => {
  const port = await freePort()
  const common = { client_id: client.id, client_secret: client.secret }
  const away = await testServer({
    databaseUrl: database.url,
    environment: {
      COUNTERSIGN_OIDC_PROVIDERS: JSON.stringify([{ name: 'sim', issuer: `http://127.0.0.1:${port}`, ...common }]),
    },
  })
  const failed = await away.call('GET', '/api/v2/sign-in/sim')
  expect(failed.headers.get('location')).toBe('/sign-in?error=provider')

  // And back it is: a whole sign-in at a real provider, its page and all.
  const person = await member('viewer', 'sim@example.com')
  const sim = await startIdp({
    port,
    client: { ...client, redirectUris: ['http://localhost:8000/api/v2/sign-in/sim/callback'] },
    accounts: [{ sub: 'sim-1', email: person.email, name: 'Sim One' }],
  })
  const { address, errand } = await leave('sim', '/events', away)
  const jar = new Map<string, string>()
  let at = address
  for (let hop = 0; hop < 8 && !at.includes('/api/v2/sign-in/'); hop += 1) {
    const answer = await fetch(at, {
      redirect: 'manual',
      headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
    })
    for (const cookie of answer.headers.getSetCookie()) {
      const [pair = ''] = cookie.split(';')
      const [name = '', ...value] = pair.split('=')
      jar.set(name, value.join('='))
    }
    const page = answer.headers.get('location') ?? /href="([^"]+)"/.exec(await answer.text())?.[1] ?? ''
    at = new URL(page, at).href
  }
  const back = await comeBack(new URL(at).search, errand, 'sim', away)
  expect(back.headers.get('location')).toBe('/events')
  expect(sessionIn(back)).toBeDefined()
  await sim.stop()
  await away.stop()
})
