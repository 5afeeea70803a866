import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../src/kernel/clock.ts'
import { actsElsewhere } from './acts-elsewhere.ts'
import { type Body, cookieIn, type FactorsScene, factorsScene } from './factors-scene.ts'
import { fakeS3 } from './fake-s3.ts'
import { pretendPasskey } from './pretend-passkey.ts'
import { type PretendYubico, pretendYubico } from './pretend-yubico.ts'
import { entriesIn } from './route-matrix.ts'
import { type Answer, type ServerApart, serverApart, type TestTenant } from './server.ts'

// Successes that need more than a request, each with exactly what it leaves in the trail.

type Route = keyof typeof actsElsewhere

const clock = systemClock()
const minute = 60_000
const headers = { 'x-requested-with': 'countersign' }
const seen = new Set<Route>()
let yubico: PretendYubico
let s3: Awaited<ReturnType<typeof fakeS3>>
let server: ServerApart
let scene: FactorsScene
let acme: TestTenant

beforeAll(async () => {
  yubico = await pretendYubico()
  s3 = await fakeS3()
  server = await serverApart({
    clock,
    environment: {
      COUNTERSIGN_YUBICO_CLIENT_ID: '7',
      COUNTERSIGN_YUBICO_SECRET_KEY: yubico.key,
      COUNTERSIGN_YUBICO_URL: yubico.url,
      COUNTERSIGN_ANCHOR_BUCKET: 'anchors',
      COUNTERSIGN_ANCHOR_CHAIN_ID: 'acts',
      COUNTERSIGN_S3_ENDPOINT: s3.endpoint,
      COUNTERSIGN_S3_REGION: 'us-east-1',
      COUNTERSIGN_S3_ACCESS_KEY_ID: 'anchorer',
      COUNTERSIGN_S3_SECRET_ACCESS_KEY: 'a secret that signs',
    },
  })
  scene = factorsScene(server, clock)
})
afterAll(async () => {
  await server.stop()
  await s3.close()
  yubico.server.close()
})

/** Asks, and sees that exactly these acts are in the trail for it, the route's own among them. */
async function leaves(
  route: Route,
  ids: Readonly<Record<string, string>>,
  { body, cookie, and = [] }: { readonly body?: unknown; readonly cookie?: string; readonly and?: readonly string[] },
): Promise<Answer & { body: Body }> {
  const [method = '', path = ''] = route.split(' ')
  const answer = await server.call(method, `/api/v2${path.replace(/:(\w+)/g, (_, name: string) => ids[name] ?? '')}`, {
    headers,
    ...(cookie !== undefined && { cookie }),
    ...(body !== undefined && { body }),
  })
  expect(answer.status, `${route}: ${answer.text}`).toBeLessThan(300)
  const entries = await entriesIn(server)(answer.headers.get('x-request-id') ?? '')
  expect(entries.map(({ act, outcome }) => `${act} ${outcome}`).toSorted(), route).toEqual(
    [actsElsewhere[route], ...and].map((act) => `${act} done`).toSorted(),
  )
  seen.add(route)
  return { ...answer, body: (answer.body ?? {}) as Body }
}

const read = async (cookie: string, path: string): Promise<Body> =>
  (await server.call('GET', `/api/v2${path}`, { cookie })).body as Body

test('setting the server up leaves the tenant that was made', async () => {
  const body = { token: 'the set-up token of the tests', email: 'acme@example.com', password: server.password }
  const { tenant_id: tenant, person_id: person } = (await leaves('POST /setup', {}, { body })).body
  const cookie = await server.signIn('acme@example.com')
  acme = { tenant: String(tenant), person: String(person), email: 'acme@example.com', cookie }
})

test('an authenticator app that is added, renamed, proven, trusted for and removed leaves each of it', async () => {
  const { cookie: first, email } = await server.newTenant()
  const started = await server.call('POST', '/api/v2/mfa/totp', { cookie: first, body: {} })
  const { id, secret } = started.body as { id: string; secret: string }
  const confirmed = await leaves(
    'POST /mfa/totp/:id/confirmation',
    { id },
    { cookie: first, body: { code: scene.codeOf(secret) }, and: ['factor.proven'] },
  )
  const changing = cookieIn(confirmed)
  await leaves('PATCH /mfa/factors/:id', { id }, { cookie: changing, body: { label: 'telephone' } })
  scene.pass(minute)
  const signedIn = await server.signIn(email)
  const body = { code: scene.codeOf(secret), trust_device: true }
  const proven = await leaves('POST /mfa/verification', {}, { cookie: signedIn, body, and: ['device.trusted'] })
  const cookie = cookieIn(proven)
  await leaves('POST /mfa/backup-codes', {}, { cookie })
  const { trusted_devices: devices } = (await read(cookie, '/mfa')) as { trusted_devices: { id: string }[] }
  await leaves('DELETE /mfa/devices/:id', { id: devices[0]?.id ?? '' }, { cookie })
  scene.pass(minute)
  await leaves('POST /mfa/verification', {}, { cookie, body: { code: scene.codeOf(secret) } })
  await leaves('DELETE /mfa/factors/:id', { id }, { cookie })
})

test('a passkey and a Yubico key that are added and used leave each of it', async () => {
  const tenant = await server.newTenant()
  const asked = (await server.call('POST', '/api/v2/mfa/passkeys/challenge', { cookie: tenant.cookie })).body as {
    challenge_id: string
    options: Body
  }
  const key = pretendPasskey()
  const draft = { challenge_id: asked.challenge_id, label: 'key', credential: key.create(asked.options) }
  const made = await leaves('POST /mfa/passkeys', {}, { cookie: tenant.cookie, body: draft })
  const cookie = made.headers.has('set-cookie') ? cookieIn(made) : tenant.cookie
  const otp = 'ccccccbchvth'.padEnd(44, 'b')
  await leaves('POST /mfa/yubico', {}, { cookie, body: { otp, label: 'key' }, and: ['factor.proven'] })

  const challenge = (await server.call('POST', '/api/v2/mfa/verification/challenge', { cookie })).body as typeof asked
  const proof = { challenge_id: challenge.challenge_id, credential: key.get(challenge.options) }
  await leaves('POST /mfa/verification/passkey', {}, { cookie, body: proof })

  const alone = (await server.call('POST', '/api/v2/sign-in/passkey/challenge', { headers })).body as typeof asked
  const assertion = { challenge_id: alone.challenge_id, credential: key.get(alone.options) }
  await leaves('POST /sign-in/passkey', {}, { body: assertion })
})

test('an administrator who removes somebody’s factors leaves it', async () => {
  const other = await server.newPerson(acme, [{ role: 'viewer', environment: null }])
  await scene.withTotp(other.cookie)
  // A fresh proof, since time was moved to use the app.
  const cookie = await server.signIn(acme.email)
  await leaves('POST /people/:id/factors/reset', { id: other.person }, { cookie })
})

test('a command line that is let in, and an invitation that is taken up, leave the act and the session', async () => {
  const cookie = await server.signIn(acme.email)
  const begun = (await server.call('POST', '/api/v2/cli-sign-ins', { headers, body: { device: 'laptop' } }))
    .body as Body
  await leaves('POST /cli-sign-ins/decision', {}, { cookie, body: { code: begun['user_code'], approve: true } })
  const { state, verifier } = begun
  await leaves('POST /cli-sign-ins/completion', {}, { body: { state, verifier } })

  const roles = [{ role: 'viewer', environment: null }]
  const invited = await server.call('POST', '/api/v2/people', { cookie, body: { email: 'new@example.com', roles } })
  const [, link] = String((invited.body as Body)['link']).split('#')
  const body = { link, password: server.password }
  await leaves('POST /links/acceptance', {}, { body, and: ['session.started'] })
})

test('a replay and an approval that are cancelled, and an export of signatures, leave each of it', async () => {
  const key = await scene.withPasskey(await server.signIn(acme.email))
  const { cookie } = key
  const held = async (): Promise<string> => {
    const { key: secret } = await server.newKey({ ...acme, cookie })
    const { body } = await server.call('POST', '/v1/approvals', {
      key: secret,
      agent: 'bot',
      body: { agent_id: 'bot', tool_name: 'deploy', tool_args: {}, message: 'asks', timeout: 600 },
    })
    return String((body as Body)['id'])
  }
  await leaves('POST /approvals/:id/cancellation', { id: await held() }, { cookie, body: { reason: 'obsolete' } })

  const policies = [{ rule: null, proof: 'countersignature', approvers: 1, excludes_owner: false }]
  const path = '/api/v2/environments/production/approval-policies'
  expect((await server.call('PUT', path, { cookie, body: { policies } })).status).toBe(200)
  const id = await held()
  const said = { approve: true, reason: 'seen' }
  const asked = await server.call('POST', `/api/v2/approvals/${id}/countersignature`, { cookie, body: said })
  const { challenge_id, options } = asked.body as { challenge_id: string; options: Body }
  const countersignature = { challenge_id, credential: key.key.get(options) }
  const decided = await server.call('POST', `/api/v2/approvals/${id}/decision`, {
    cookie,
    body: { ...said, countersignature },
  })
  expect(decided.status, decided.text).toBe(200)
  // It can be exported once the trail has numbered it.
  const numbered = async (): Promise<number> =>
    (await server.call('GET', `/api/v2/approvals/${id}/countersignature`, { cookie })).status
  await expect.poll(numbered, { timeout: 20_000 }).toBe(200)
  await leaves('GET /approvals/:id/countersignature', { id }, { cookie })

  const replay = await server.call('POST', '/api/v2/replays', {
    cookie,
    body: { yaml: guard, since: '2026-01-01T00:00:00Z' },
  })
  const replayId = String((replay.body as Body)['id'])
  await expect
    .poll(async () => (await read(cookie, `/replays/${replayId}`))['ended_at'], { timeout: 20_000 })
    .not.toBe(null)
  // As one under way elsewhere.
  await server.db.query(`update replays as r set status = 'running', result = null, ended_at = null where r.id = $1`, [
    replayId,
  ])
  await leaves('POST /replays/:id/cancellation', { id: replayId }, { cookie })
})

test('an anchor that is asked for leaves it', async () => {
  const cookie = await server.signIn((await server.newTenant()).email)
  await leaves('POST /trail/anchors', {}, { cookie })
})

test('nothing was left out', () => {
  expect([...seen].toSorted()).toEqual(Object.keys(actsElsewhere).toSorted())
})

const guard = `apiVersion: edictum/v1
kind: Ruleset
metadata:
  name: guard
defaults:
  mode: enforce
rules:
  - {id: no-rm, type: pre, tool: Bash, when: {args.command: {contains: rm}}, then: {action: block, message: no}}
`
