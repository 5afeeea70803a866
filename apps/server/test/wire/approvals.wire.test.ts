import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { rollOutYaml, rulesetYaml } from '../rulesets-scene.ts'
import { type Answer, type ServerApart, serverApart, type TestTenant } from '../server.ts'
import { expectWholeTrail } from '../whole-trail.ts'

let server: ServerApart
let tenant: TestTenant
let key: string
let keyPrefix: string
let staging: string

beforeAll(async () => {
  server = await serverApart()
})
afterAll(async () => {
  await server.stop(expectWholeTrail)
})
beforeEach(async () => {
  tenant = await server.newTenant()
  const made = await server.newKey(tenant)
  key = made.key
  keyPrefix = made.prefix
  staging = (await server.newKey(tenant, 'staging')).key
})

type Approval = Readonly<Record<string, unknown>> & { readonly id: string; readonly status: string }
const approvalIn = (answer: Answer): Approval => answer.body as Approval

const question = { agent_id: 'a1', tool_name: 'deploy', tool_args: { to: 'x' }, message: 'May I?', timeout: 300 }
const id = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}$/

describe.each(['/v1', '/api/v1'])('under %s', (prefix) => {
  const ask = (more: object = {}, agent: string | undefined = 'a1', withKey = key): Promise<Answer> =>
    server.call('POST', `${prefix}/approvals`, {
      key: withKey,
      ...(agent !== '' && { agent }),
      body: { ...question, ...more },
    })
  const poll = (approval: string, withKey = key, query = ''): Promise<Answer> =>
    server.call('GET', `${prefix}/approvals/${approval}${query}`, { key: withKey, agent: 'a1' })
  const put = (approval: string, body: object): Promise<Answer> =>
    server.call('PUT', `/api/v1/approvals/${approval}`, { cookie: tenant.cookie, body })

  test('wire 35: a request is answered 201 with a pending approval whose id every SDK accepts and both words for its effect', async () => {
    const answer = await ask({ timeout_effect: 'allow' })
    expect(answer.status).toBe(201)
    const approval = approvalIn(answer)
    expect(approval).toMatchObject({
      status: 'pending',
      agent_id: 'a1',
      tool_name: 'deploy',
      tool_args: { to: 'x' },
      message: 'May I?',
      env: 'production',
      timeout_seconds: 300,
      timeout_effect: 'allow',
      timeout_action: 'allow',
      session_id: null,
      decided_by: null,
      decided_at: null,
      decision_reason: null,
      reason: null,
      decided_via: null,
    })
    expect(approval.id).toMatch(id)
    const [made, ends] = [approval['created_at'], approval['expires_at']].map((at) => Date.parse(String(at)))
    expect(Number(ends) - Number(made)).toBe(300_000)
  })

  test('wire 36: block, deny and no word at all mean block; fractions are rounded up; unknown fields are let through', async () => {
    for (const words of [{ timeout_action: 'block' }, { timeout_action: 'deny' }, {}]) {
      expect(approvalIn(await ask(words))).toMatchObject({ timeout_action: 'block', timeout_effect: 'deny' })
    }
    // The newer word wins when a client sends both.
    const both = await ask({ timeout_action: 'allow', timeout_effect: 'deny' })
    expect(approvalIn(both)).toMatchObject({ timeout_action: 'allow', timeout_effect: 'allow' })
    expect(approvalIn(await ask({ timeout: 1.5 }))).toMatchObject({ timeout_seconds: 2 })
    expect(approvalIn(await ask({ timeout: 1e9 }))).toMatchObject({ timeout_seconds: 86_400 })
    expect(approvalIn(await ask({ timeout: 0 }))).toMatchObject({ timeout_seconds: 1 })
    expect((await ask({ something_new: [1], rule_name: 'r1' })).status).toBe(201)
  })

  test('wire 36: what cannot be understood is refused with the name of the field', async () => {
    const noTool = await ask({ tool_name: undefined })
    expect(noTool.status).toBe(422)
    expect(noTool.body).toMatchObject({ detail: [{ loc: ['body', 'tool_name'], msg: 'Field required' }] })
    expect((await ask({ timeout_action: 'explode' })).status).toBe(422)
    expect((await ask({ tool_args: [1] })).status).toBe(422)
    expect((await ask({ message: 'm'.repeat(10_001) })).status).toBe(422)
  })

  test('wire 36: the word an agent uses for the effect tells which dialect of rulesets it reads', async () => {
    await rollOutYaml(server, tenant, rulesetYaml('base'))
    const fetched = async (agent: string): Promise<unknown> => {
      const { body } = await server.call('GET', '/api/v1/bundles/base/current', { key, agent })
      return String((body as { yaml: string }).yaml).split('\n')[1]
    }
    // The old paths answer in the old words unless the agent was seen to speak the new ones.
    expect(await fetched('newer')).toBe('kind: ContractBundle')
    await ask({ timeout_action: 'block' }, 'newer')
    await expect.poll(() => fetched('newer')).toBe('kind: Ruleset')
    await ask({ timeout_effect: 'deny' }, 'older')
    expect(await fetched('older')).toBe('kind: ContractBundle')
  })

  test('wire 37: the header says which agent asks, whatever the body says; without one it is the key', async () => {
    expect(approvalIn(await ask({ agent_id: 'other' }))).toMatchObject({ agent_id: 'a1' })
    expect(approvalIn(await ask({ agent_id: 'other' }, ''))).toMatchObject({ agent_id: `key:${keyPrefix}` })
  })

  test('wire 38: an agent sees its approval pending; another environment or a malformed id gets 404', async () => {
    const { id } = approvalIn(await ask())
    expect(approvalIn(await poll(id))).toMatchObject({ id, status: 'pending' })
    const unknown = await poll('0190f5a0-0000-7000-8000-00000000abcd')
    for (const answer of [await poll(id, staging), await poll('not-an-id'), unknown]) {
      expect(answer.status).toBe(404)
      expect(answer.text).toBe(unknown.text)
    }
    const stranger = await server.newKey(await server.newTenant())
    expect((await poll(id, stranger.key)).text).toBe(unknown.text)
  })

  test('wire 39: the waiting agent is told approved, or exactly denied, with who and why under both names', async () => {
    const { id: one } = approvalIn(await ask())
    expect((await put(one, { approved: true, reason: 'checked' })).status).toBe(200)
    expect(approvalIn(await poll(one))).toMatchObject({
      status: 'approved',
      decided_by: tenant.email,
      decision_reason: 'checked',
      reason: 'checked',
      decided_via: 'api',
    })
    const { id: other } = approvalIn(await ask())
    await put(other, { approved: false, decided_via: 'telegram' })
    // The door a decision came through is what we saw, not what its sender says.
    expect(approvalIn(await poll(other))).toMatchObject({ status: 'denied', reason: null, decided_via: 'api' })
  })

  test('wire 41: of twenty decisions at once one wins, nineteen get 409, and the status is the winner’s', async () => {
    const { id } = approvalIn(await ask())
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => put(id, { approved: n % 2 === 0 })))
    const won = answers.filter(({ status }) => status === 200)
    expect(won).toHaveLength(1)
    const lost = answers.filter(({ status }) => status === 409)
    expect(lost).toHaveLength(19)
    expect(lost[0]?.body).toEqual({ detail: 'Approval not found or already decided.' })
    expect(approvalIn(await poll(id)).status).toBe(approvalIn(won[0] as Answer).status)
    const [row] = await server.db.query<{ count: number }>(
      `select count(*) as count from trail_entries as e where e.subject_id = $1 and e.act in ('approval.approved', 'approval.denied')`,
      [id],
    )
    expect(row?.count).toBe(1)
  })

  test('wire 42: the eleventh request within a minute is refused with Retry-After; other agents and polling are not', async () => {
    const { id } = approvalIn(await ask())
    for (let n = 2; n <= 10; n += 1) expect((await ask()).status).toBe(201)
    const refused = await ask()
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
    expect(refused.body).toEqual({ detail: 'Too many approval requests. Please slow down.' })
    expect((await ask({}, 'a2')).status).toBe(201)
    for (let n = 0; n < 20; n += 1) expect((await poll(id)).status).toBe(200)
  })

  test('wire 42: naming other agents is no way around: a key has ten times the limit of an agent and no more', async () => {
    const answers: number[] = []
    for (let n = 0; n < 101; n += 1) answers.push((await ask({}, `many-${n}`)).status)
    expect(answers.filter((status) => status === 201)).toHaveLength(100)
    expect(answers.at(-1)).toBe(429)
  })

  test('wire 43: an ordinary agent key cannot decide; one made for it can, and its rejected means denied', async () => {
    const { id } = approvalIn(await ask())
    const decide = (withKey: string, decision = 'rejected'): Promise<Answer> =>
      server.call('POST', `${prefix}/approvals/${id}/decide`, {
        key: withKey,
        body: { decision, decided_by: 'alice', decided_via: 'harness', reason: 'no' },
      })
    const refused = await decide(key, 'approved')
    expect(refused.status).toBe(403)
    expect(refused.body).toMatchObject({ detail: expect.any(String) })
    expect(approvalIn(await poll(id)).status).toBe('pending')
    const elsewhere = await server.newKey(tenant, 'staging', { may_decide: true })
    expect((await decide(elsewhere.key)).status).toBe(404)
    const decider = await server.newKey(tenant, 'production', { may_decide: true })
    expect((await decide(decider.key)).status).toBe(200)
    expect(approvalIn(await poll(id))).toMatchObject({
      status: 'denied',
      decided_by: `key:${decider.prefix}`,
      decided_via: 'key',
      reason: 'no',
    })
    expect((await decide(decider.key)).status).toBe(409)
  })

  test('wire 43: a key that may decide cannot decide what it asked for itself', async () => {
    const own = await server.newKey(tenant, 'production', { may_decide: true })
    const { id } = approvalIn(await ask({}, 'a1', own.key))
    const body = { decision: 'approved' }
    expect((await server.call('POST', `${prefix}/approvals/${id}/decide`, { key: own.key, body })).status).toBe(403)
    expect(approvalIn(await poll(id, own.key)).status).toBe('pending')
  })

  test('wire 35: a list is an object under /v1 and an array under /api/v1, and holds the key’s environment alone', async () => {
    const { id } = approvalIn(await ask({ session_id: 's1' }))
    await ask({}, 'a2', staging)
    const list = async (query = ''): Promise<readonly Approval[]> => {
      const { body } = await server.call('GET', `${prefix}/approvals${query}`, { key })
      expect(Array.isArray(body)).toBe(prefix === '/api/v1')
      return (prefix === '/v1' ? (body as { approvals: Approval[] }).approvals : body) as Approval[]
    }
    expect((await list()).map((one) => one.id)).toEqual([id])
    expect(await list('?agent_id=a1&session_id=s1&status=pending')).toHaveLength(1)
    expect(await list('?session_id=s2')).toHaveLength(0)
    expect(await list('?status=approved')).toHaveLength(0)
  })

  test('wire 39: an agent that waits with ?wait= is told within moments of the decision', async () => {
    const { id } = approvalIn(await ask())
    const waiting = poll(id, key, '?wait=20')
    await expect
      .poll(() => server.db.query('select from approvals as a where a.id = $1 and a.last_polled_at is not null', [id]))
      .toHaveLength(1)
    await put(id, { approved: true })
    expect(approvalIn(await waiting)).toMatchObject({ id, status: 'approved' })
  })

  test('wire 39: what was cancelled, or asked for with a key that is revoked, is denied with the reason', async () => {
    const { id } = approvalIn(await ask())
    const path = `/api/v2/approvals/${id}/cancellation`
    expect((await server.call('POST', path, { cookie: tenant.cookie, body: { reason: 'wrong host' } })).status).toBe(
      200,
    )
    expect(approvalIn(await poll(id))).toMatchObject({ status: 'denied', reason: 'wrong host' })
    const second = await server.newKey(tenant)
    const { id: held } = approvalIn(await ask({}, 'a1', second.key))
    await server.call('POST', `/api/v2/keys/${second.id}/revoke`, { cookie: tenant.cookie, body: {} })
    await expect
      .poll(async () => approvalIn(await poll(held)), { timeout: 5000 })
      .toMatchObject({ status: 'denied', reason: 'The key that asked for it was revoked' })
  })
})
