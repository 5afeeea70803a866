import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Route } from '../src/features/roles/index.ts'
import { systemClock } from '../src/kernel/clock.ts'
import { tokenOf } from './factors-scene.ts'
import { type Answer, type ServerApart, serverApart, type TestTenant } from './server.ts'

// What a session reaches before, and long after, somebody proved a second factor.

const clock = systemClock()
const minute = 60_000
let server: ServerApart
let owner: pg.Client
let acme: TestTenant

beforeAll(async () => {
  server = await serverApart({ clock })
  owner = new pg.Client({ connectionString: server.database.ownerUrl })
  await owner.connect()
})
afterAll(async () => {
  await owner.end()
  await server.stop()
})
beforeEach(async () => {
  clock.adjust(0)
  acme = await server.newTenant()
})

const newKey = (cookie = acme.cookie): Promise<Answer> =>
  server.call('POST', '/api/v2/keys', { cookie, body: { environment: 'staging', label: 'made' } })

/** A confirmed factor, however it came about. */
async function enrolled(who: TestTenant): Promise<void> {
  await owner.query(
    `insert into factors (tenant_id, id, person_id, kind, label, made_at, confirmed_at, sealed_secret)
     values ($1, gen_random_uuid(), $2, 'totp', 'phone', now(), now(), 'sealed')`,
    [who.tenant, who.person],
  )
}

async function stamped(who: TestTenant, columns: string): Promise<void> {
  await owner.query(`update sessions set ${columns} where tenant_id = $1 and person_id = $2`, [who.tenant, who.person])
}

const needsPerson = ({ needs }: Route): boolean => needs !== 'anyone' && needs !== 'agent-key'

describe('a session whose second step is missing', () => {
  test('reaches no route of any surface but those on the way to prove the factor', async () => {
    await enrolled(acme)
    const cookie = await server.signIn(acme.email)
    const { native, edictum, rack } = server.app.routes
    for (const [prefix, routes] of [
      ['/api/v2', native],
      ['/api/v1', edictum],
      ['/api/v1', rack],
    ] as const) {
      const guarded = routes.filter((route) => needsPerson(route) && route.factor !== 'before')
      const answers = await Promise.all(
        guarded.map(async ({ method, path }) => {
          const address = `${prefix}${path.replaceAll(/:(\w+)/g, 'x')}`
          // In a header, since each surface wants another one beside a cookie.
          return { address, answer: await server.call(method, address, { key: tokenOf({ cookie }) }) }
        }),
      )
      // What exists below /v1 only is not there.
      const walked = answers.filter(({ answer }) => answer.status !== 404 || prefix === '/api/v2')
      for (const { address, answer } of walked) {
        expect.soft(answer.status, address).toBe(routes === rack ? 401 : 403)
        expect.soft(answer.text, address).toContain('Complete the sign-in with your second factor')
      }
      expect(walked.length).toBeGreaterThan(20)
    }
    expect(await server.call('GET', '/api/v2/session', { cookie })).toMatchObject({
      status: 200,
      body: { factors: { is_enrolled: true, is_verified: false } },
    })
    expect((await server.call('DELETE', '/api/v2/session', { cookie })).status).toBe(200)
  })

  test('is refused from the moment a factor is confirmed elsewhere, though it did all it could before', async () => {
    expect((await newKey()).status).toBe(201)
    await enrolled(acme)
    clock.adjust(6_000)
    expect(await newKey()).toMatchObject({ status: 403, body: { code: 'mfa_required' } })
  })
})

describe('somebody who must have a factor and has none', () => {
  test.each(['by setting', 'by role'])('%s reaches only the way to add one', async (how) => {
    await owner.query(
      how === 'by role'
        ? `insert into factor_required_roles (tenant_id, role) values ($1, 'admin')`
        : `insert into settings (tenant_id, name, value, changed_by, changed_at) values ($1, 'mfa.required', 'true', gen_random_uuid(), now())`,
      [acme.tenant],
    )
    const cookie = await server.signIn(acme.email)
    const answer = await server.call('GET', '/api/v2/overview', { cookie })
    expect(answer).toMatchObject({ status: 403, body: { code: 'mfa_enrollment_required' } })
    expect(await server.call('GET', '/api/v2/session', { cookie })).toMatchObject({
      body: { factors: { is_enrolled: false, is_required: true } },
    })
  })
})

describe('a sharp act', () => {
  test('by somebody without a factor needs the password of the last ten minutes', async () => {
    expect((await newKey()).status).toBe(201)
    clock.adjust(10 * minute + 1_000)
    expect(await newKey()).toMatchObject({ status: 403, body: { code: 'mfa_step_up_required', level: 'step-up' } })
    expect((await newKey(await server.signIn(acme.email))).status).toBe(201)
  })

  test('is not opened by the password when there is a factor, nor by a trusted browser', async () => {
    await enrolled(acme)
    const cookie = await server.signIn(acme.email)
    await stamped(acme, 'verified_at = now()')
    expect((await server.call('GET', '/api/v2/keys', { cookie })).status).toBe(200)
    // The session was made by password seconds ago, and that is worth nothing now.
    await stamped(acme, 'stepped_up_at = null')
    clock.adjust(6_000)
    expect(await newKey(cookie)).toMatchObject({ status: 403, body: { code: 'mfa_step_up_required' } })
  })

  test('of the sharpest kind uses up one proof: of acts that race for it, one gets it', async () => {
    await enrolled(acme)
    const cookie = await server.signIn(acme.email)
    await stamped(acme, 'verified_at = now(), stepped_up_at = now(), unspent_at = now()')
    const answers = await Promise.all(
      [1, 2, 3].map(() => server.call('POST', '/api/v2/signing-keys/rotate', { cookie })),
    )
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 403, 403])
    expect(answers.find(({ status }) => status === 403)?.body).toMatchObject({
      code: 'mfa_step_up_required',
      level: 'always',
    })
    expect((await newKey(cookie)).status).toBe(201)
  })

  test('keeps its proof when the request does not fit', async () => {
    await enrolled(acme)
    const cookie = await server.signIn(acme.email)
    await stamped(acme, 'verified_at = now(), stepped_up_at = now(), unspent_at = now()')
    const bad = await server.call('POST', '/api/v2/events/purge', { cookie, body: { surprise: true } })
    expect(bad.status).toBe(422)
    expect((await server.call('POST', '/api/v2/signing-keys/rotate', { cookie })).status).toBe(201)
  })

  test('is asked for the permission first: nobody proves a factor only to be told no', async () => {
    await owner.query(`delete from role_grants where tenant_id = $1`, [acme.tenant])
    const cookie = await server.signIn(acme.email)
    clock.adjust(10 * minute + 1_000)
    expect(await newKey(cookie)).toMatchObject({ status: 403, body: { code: 'forbidden' } })
  })

  test('through the older wire is no way around', async () => {
    clock.adjust(10 * minute + 1_000)
    const answer = await server.call('POST', '/api/v1/keys', { cookie: acme.cookie, body: { env: 'staging' } })
    expect(answer.status).toBe(403)
    expect((answer.body as { detail: string }).detail).toContain('proved it is you')
  })

  test('on what is live in a protected environment needs a fresh proof, elsewhere none', async () => {
    const yaml = `apiVersion: edictum/v1\nkind: Ruleset\nmetadata:\n  name: base\ndefaults:\n  mode: enforce\nrules:\n  - id: no-rm\n    type: pre\n    tool: Bash\n    when:\n      args.command: {contains: rm}\n    then:\n      action: block\n      message: no\n`
    const { cookie } = acme
    expect((await server.call('POST', '/api/v2/rulesets', { cookie, body: { yaml } })).status).toBe(201)
    const rollOut = (environment: string): Promise<Answer> =>
      server.call('POST', '/api/v2/rulesets/base/rollouts', { cookie, body: { version: 1, environment } })
    clock.adjust(10 * minute + 1_000)
    expect((await rollOut('staging')).status).toBe(201)
    expect(await rollOut('production')).toMatchObject({ status: 403, body: { code: 'mfa_step_up_required' } })
    const deploy = (by: string): Promise<Answer> =>
      server.call('POST', '/api/v1/bundles/base/1/deploy', { cookie: by, body: { env: 'production' } })
    const refused = await deploy(cookie)
    expect({ status: refused.status, body: refused.body }).toEqual({
      status: 403,
      body: {
        detail:
          'It was some time ago that you proved it is you: confirm with your second factor, or your password. ' +
          'A script signs in right before this request (POST /api/v1/auth/login), or uses an API token.',
      },
    })
    // What the sentence says is so.
    expect(await deploy(await server.signIn(acme.email))).toMatchObject({ status: 201 })
  })
})
