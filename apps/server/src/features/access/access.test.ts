import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'

// Roles held on one rack, and the question that whatever stands before a rack asks.

let server: ServerApart
let acme: TestTenant

beforeAll(async () => {
  server = await serverApart()
  acme = await server.newTenant('acme')
})
afterAll(() => server.stop())

type Grant = { readonly role: string; readonly environment: string | null; readonly rack?: string | null }

async function may(who: { readonly cookie?: string; readonly key?: string }, question: string): Promise<boolean> {
  const answer = await server.call('GET', `/api/v2/access?${question}`, who)
  expect(answer.status, answer.text).toBe(200)
  return (answer.body as { is_allowed: boolean }).is_allowed
}
const invite = (who: TestTenant, roles: readonly Grant[]) =>
  server.call('POST', '/api/v2/people', {
    cookie: who.cookie,
    body: { email: `p${Math.floor(performance.now() * 1000)}@example.com`, roles },
  })

const deployEast = 'permission=rack-deploys:write&environment=staging&rack=east'
const deployWest = 'permission=rack-deploys:write&environment=staging&rack=west'

describe('a role on one rack', () => {
  test('is kept, shown with its rack everywhere, recorded, and answers for that rack alone', async () => {
    const grant = { role: 'deployer', environment: 'staging', rack: 'east' }
    const person = await server.newPerson(acme, [grant])
    expect(await may(person, deployEast)).toBe(true)
    expect(await may(person, deployWest)).toBe(false)
    expect(await may(person, 'permission=rack-deploys:write&environment=development&rack=east')).toBe(false)
    expect(await may(person, 'permission=rollouts:write&environment=staging')).toBe(false)
    const made = await server.call('POST', '/api/v2/keys', {
      cookie: person.cookie,
      body: { environment: 'staging', label: 'mine' },
    })
    expect(made.status).toBe(403)
    const shown = { roles: [grant] }
    expect((await server.call('GET', `/api/v2/people/${person.person}`, { cookie: acme.cookie })).body).toMatchObject(
      shown,
    )
    expect((await server.call('GET', '/api/v2/session', { cookie: person.cookie })).body).toMatchObject({
      person: shown,
    })
    expect((await server.call('GET', '/api/v2/roles/deployer/holders', { cookie: acme.cookie })).body).toMatchObject({
      items: [{ email: person.email, environment: 'staging', rack: 'east' }],
    })
    expect((await server.call('GET', `/api/v1/users/${person.email}`, { cookie: acme.cookie })).body).toMatchObject({
      roles: ['deployer on rack east in staging'],
    })
    const [entry] = await server.db.query<{ text: string }>(
      `select convert_from(e.bytes, 'UTF8') as text from trail_entries as e
        where e.tenant_id = $1 and e.act = 'person.invited' and e.subject_id = $2`,
      [acme.tenant, person.person],
    )
    expect(JSON.parse(entry?.text ?? '{}')).toMatchObject({ details: { roles: [grant] } })
  })

  test('never adds up to the same role everywhere: not for giving it, for a token, for being the last administrator', async () => {
    const person = await server.newPerson(acme, [{ role: 'admin', environment: null, rack: 'east' }])
    expect((await invite(person, [{ role: 'viewer', environment: null }])).status).toBe(403)
    const head = await server.newPerson(acme, [{ role: 'admin', environment: null }])
    const demoted = await server.call('PATCH', `/api/v2/people/${acme.person}`, {
      cookie: head.cookie,
      body: { roles: [{ role: 'admin', environment: null, rack: 'east' }] },
    })
    expect(demoted.status, demoted.text).toBe(200)
    // Head is now alone in charge, though three people hold a role of that name.
    const gone = await server.call('POST', `/api/v2/people/${head.person}/suspension`, {
      cookie: head.cookie,
      body: { reason: 'away' },
    })
    expect(gone.status).not.toBe(200)
    const other = await server.newTenant('globex')
    expect(await may(other, deployEast)).toBe(true)
    await server.call('PATCH', `/api/v2/people/${acme.person}`, {
      cookie: head.cookie,
      body: { roles: [{ role: 'admin', environment: null }] },
    })
    acme = { ...acme, cookie: await server.signIn(acme.email) }
  })

  test('may be given twice for two racks, and not twice for one; names that are none are refused', async () => {
    const both = [
      { role: 'ops', environment: null, rack: 'east' },
      { role: 'ops', environment: null, rack: 'acme/west' },
    ]
    const person = await server.newPerson(acme, both)
    for (const rack of ['east', 'acme%2Fwest'])
      expect(await may(person, `permission=rack-processes:write&environment=staging&rack=${rack}`)).toBe(true)
    const twice = await invite(acme, [both[0] as Grant, both[0] as Grant])
    expect(twice).toMatchObject({ status: 422 })
    for (const rack of ['', 'East', '../east', 'a/b/c', "x' or true--", 'a'.repeat(64)])
      expect((await invite(acme, [{ role: 'ops', environment: null, rack }])).status, rack).toBe(422)
  })

  test('leaves with the change that takes it away: the next question is answered no', async () => {
    const person = await server.newPerson(acme, [{ role: 'deployer', environment: null, rack: 'east' }])
    expect(await may(person, deployEast)).toBe(true)
    const changed = await server.call('PATCH', `/api/v2/people/${person.person}`, {
      cookie: acme.cookie,
      body: { roles: [{ role: 'deployer', environment: null, rack: 'west' }] },
    })
    expect(changed.body).toMatchObject({ roles: [{ role: 'deployer', environment: null, rack: 'west' }] })
    expect((await server.call('GET', `/api/v2/access?${deployEast}`, { cookie: person.cookie })).status).toBe(401)
    const again = { cookie: await server.signIn(person.email) }
    expect(await may(again, deployEast)).toBe(false)
    expect(await may(again, deployWest)).toBe(true)
  })
})

describe('the question whether one may', () => {
  test('is answered to a token by its own permissions', async () => {
    const made = await server.call('POST', '/api/v2/tokens', {
      cookie: acme.cookie,
      body: { name: 'gate', permissions: ['rack-deploys:write'], environments: ['staging'] },
    })
    const { token } = made.body as { token: string }
    expect(await may({ key: token }, deployEast)).toBe(true)
    expect(await may({ key: token }, 'permission=rack-deploys:write&environment=production&rack=east')).toBe(false)
    expect(await may({ key: token }, 'permission=rack-processes:write&environment=staging&rack=east')).toBe(false)
  })

  test.each([
    ['permission=rack-deploys:write&rack=east', 'name the one the rack is in'],
    ['permission=rack-deploys:write&environment=Production&rack=east', 'no environment Production'],
    ['permission=people:write&environment=nowhere', 'no environment nowhere'],
    ['permission=fleet:manage&environment=staging&rack=east', 'not about racks'],
    ['permission=rockets:launch', 'permission'],
    ['environment=staging', 'permission'],
  ])('is refused rather than guessed at: %s', async (question, words) => {
    const answer = await server.call('GET', `/api/v2/access?${question}`, { cookie: acme.cookie })
    expect(answer.status).toBe(422)
    expect(answer.text).toContain(words)
  })

  test('is nobody’s who is not signed in, and no agent key’s', async () => {
    const { key } = await server.newKey(acme)
    for (const who of [{}, { key }, { key: 'rgw_nonsense' }])
      expect((await server.call('GET', `/api/v2/access?${deployEast}`, who)).status).toBe(401)
  })
})
