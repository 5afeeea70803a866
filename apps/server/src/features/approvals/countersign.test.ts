import {
  type CountersignatureFile,
  readCheckpoint,
  readEntryProof,
  readNote,
  readVerifier,
  verifyCountersignatures,
} from '@countersign/trail'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type PretendPasskey, pretendPasskey } from '../../../test/pretend-passkey.ts'
import { type Answer, type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'
import { systemClock } from '../../kernel/clock.ts'

const clock = systemClock()
let server: ServerApart
let owner: pg.Client
let acme: TestTenant
let agentKey: string

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
  agentKey = (await server.newKey(acme)).key
})

type Body = Readonly<Record<string, unknown>>

async function call(cookie: string, method: string, path: string, body?: unknown): Promise<Answer & { body: Body }> {
  const answer = await server.call(method, `/api/v2${path}`, { cookie, ...(body !== undefined && { body }) })
  return { ...answer, body: (answer.body ?? {}) as Body }
}

/** Another administrator of the same tenant. */
const colleague = (cookie = acme.cookie) =>
  server.newPerson({ ...acme, cookie }, [{ role: 'admin', environment: null }])

async function withPasskey(cookie: string): Promise<{ key: PretendPasskey; cookie: string }> {
  const key = pretendPasskey()
  const { body } = await call(cookie, 'POST', '/mfa/passkeys/challenge')
  const { challenge_id, options } = body as { challenge_id: string; options: Body }
  const added = await call(cookie, 'POST', '/mfa/passkeys', {
    challenge_id,
    label: 'key',
    credential: key.create(options),
  })
  expect(added.status, added.text).toBe(201)
  return { key, cookie: (added.headers.get('set-cookie') ?? '').split(';')[0] ?? '' }
}

async function held(more: object = {}): Promise<string> {
  const { status, text, body } = await server.call('POST', '/v1/approvals', {
    key: agentKey,
    agent: 'bot',
    body: {
      agent_id: 'bot',
      tool_name: 'deploy',
      tool_args: { app: 'shop', size: 1e21 },
      message: 'go?',
      timeout: 600,
      ...more,
    },
  })
  if (status !== 201) throw new Error(text)
  return (body as { id: string }).id
}

async function policy(cookie: string, policies: readonly object[]): Promise<void> {
  const answer = await call(cookie, 'PUT', '/environments/production/approval-policies', { policies })
  expect(answer.status, answer.text).toBe(200)
}
const everyRule = { rule: null, proof: 'session', approvers: 1, excludes_owner: false }

async function signed(cookie: string, key: PretendPasskey, id: string, said: Body, bend: Body = {}) {
  const { status, text, body } = await call(cookie, 'POST', `/approvals/${id}/countersignature`, said)
  expect(status, text).toBe(200)
  const { challenge_id, options } = body as { challenge_id: string; options: Body }
  return { ...said, countersignature: { challenge_id, credential: key.get(options, bend) } }
}
const decide = (cookie: string, id: string, body: unknown) => call(cookie, 'POST', `/approvals/${id}/decision`, body)

describe('policy', () => {
  test('may want a fresh proof: an old session is asked for it', async () => {
    await policy(acme.cookie, [{ ...everyRule, proof: 'step-up' }])
    const id = await held()
    clock.adjust(11 * 60_000)
    const cookie = acme.cookie
    expect(await decide(cookie, id, { approve: false })).toMatchObject({
      status: 403,
      body: { code: 'mfa_step_up_required' },
    })
    const prove = (password: string) => call(cookie, 'POST', '/mfa/verification/password', { password })
    expect(await prove('not the password')).toMatchObject({
      status: 403,
      body: { reason: 'wrong_password', detail: 'This is not your password. Nothing was done; try again.' },
    })
    expect((await prove(server.password)).status).toBe(200)
  })

  test('may want a signature: being signed in, a fresh proof and the older wire are not enough', async () => {
    const { key, cookie } = await withPasskey(acme.cookie)
    await policy(cookie, [{ ...everyRule, proof: 'countersignature' }])
    const id = await held()
    expect(await decide(cookie, id, { approve: true })).toMatchObject({
      status: 403,
      body: { code: 'countersignature_required' },
    })
    const older = await server.call('PUT', `/v1/approvals/${id}`, { cookie, body: { approved: true } })
    expect(older.status).toBe(403)
    const many = await call(cookie, 'POST', '/approvals/decisions', { decisions: [{ id, approve: true }] })
    expect(many.body).toMatchObject({ results: [{ is_ok: false, problem: { code: 'countersignature_required' } }] })
    const answer = await decide(cookie, id, await signed(cookie, key, id, { approve: true, reason: 'seen' }))
    expect(answer).toMatchObject({ status: 200, body: { status: 'approved' } })
  })

  test('may exclude whoever made the key that asks, also while nobody else can decide', async () => {
    await policy(acme.cookie, [{ ...everyRule, excludes_owner: true }])
    const id = await held()
    expect(await decide(acme.cookie, id, { approve: true })).toMatchObject({
      status: 403,
      body: { detail: expect.stringContaining('Invite an approver') as string },
    })
    expect((await call(acme.cookie, 'GET', `/approvals/${id}`)).body['deciders']).toMatchObject({
      others: 0,
      you_may: 'deny',
      obstacle: expect.stringContaining('Nobody can approve this') as string,
    })
    const other = await colleague()
    expect(await decide(other.cookie, id, { approve: true })).toMatchObject({
      status: 200,
      body: { status: 'approved' },
    })
  })

  test('may want several people: nobody counts twice, and one who denies is enough', async () => {
    await policy(acme.cookie, [{ ...everyRule, approvers: 2 }])
    const [one, two] = [await colleague(), await colleague()]
    const id = await held()
    expect(await decide(one.cookie, id, { approve: true, reason: 'one' })).toMatchObject({
      body: { status: 'pending' },
    })
    expect(await decide(one.cookie, id, { approve: true })).toMatchObject({ status: 409 })
    const { body } = await call(two.cookie, 'GET', `/approvals/${id}`)
    expect(body).toMatchObject({ votes: [{ approve: true, reason: 'one' }], policy: { approvers: 2 } })
    expect(await decide(two.cookie, id, { approve: true })).toMatchObject({ body: { status: 'approved' } })

    const second = await held()
    await decide(one.cookie, second, { approve: true })
    expect(await decide(two.cookie, second, { approve: false })).toMatchObject({ body: { status: 'denied' } })
  })

  test('in racing votes of two people counts both: the call is approved once', async () => {
    await policy(acme.cookie, [{ ...everyRule, approvers: 2 }])
    const people = [await colleague(), await colleague()]
    const id = await held()
    const answers = await Promise.all(people.map(({ cookie }) => decide(cookie, id, { approve: true })))
    expect(answers.map(({ body }) => body['status']).sort()).toEqual(['approved', 'pending'])
  })

  test('of a rule makes the environment’s stricter, and an agent that names another rule does not escape it', async () => {
    await policy(acme.cookie, [everyRule, { ...everyRule, rule: 'deploys', proof: 'step-up', approvers: 3 }])
    for (const more of [{}, { rule_id: 'deploys' }, { rule_id: 'harmless' }]) {
      const { body } = await call(acme.cookie, 'GET', `/approvals/${await held(more)}`)
      expect(body['policy']).toEqual({ proof: 'step-up', approvers: 3, excludes_owner: false })
    }
  })

  test('holds as it was when the call was held: softening it later changes nothing', async () => {
    const { cookie } = await withPasskey(acme.cookie)
    await policy(cookie, [{ ...everyRule, proof: 'countersignature' }])
    const id = await held()
    await owner.query(`delete from approval_policies where tenant_id = $1`, [acme.tenant])
    expect(await decide(cookie, id, { approve: true })).toMatchObject({ status: 403 })
    await expect(owner.query(`update approvals set proof = 'session' where id = $1`, [id])).rejects.toThrow(
      'cannot be changed',
    )
  })

  test('that wants a person is not met by a key that may decide', async () => {
    await policy(acme.cookie, [{ ...everyRule, proof: 'step-up' }])
    const decider = await server.newKey(acme, 'production', { may_decide: true })
    const answer = await server.call('POST', `/v1/approvals/${await held()}/decide`, {
      key: decider.key,
      body: { decision: 'approved' },
    })
    expect(answer.status).toBe(403)
  })
})

describe('a countersignature', () => {
  test.each([
    ['another decision', { approve: false, reason: 'seen' }],
    ['another reason', { approve: true, reason: 'unseen' }],
    ['no reason', { approve: true }],
  ])('signed for one decision does not serve for %s', async (_, sent) => {
    const { key, cookie } = await withPasskey(acme.cookie)
    const id = await held()
    const body = await signed(cookie, key, id, { approve: true, reason: 'seen' })
    expect(await decide(cookie, id, { ...sent, countersignature: body.countersignature })).toMatchObject({
      status: 422,
    })
    expect((await call(cookie, 'GET', `/approvals/${id}`)).body['status']).toBe('pending')
  })

  test('serves for one call, once, and only for who signed it', async () => {
    const { key, cookie } = await withPasskey(acme.cookie)
    const [one, two] = [await held(), await held()]
    const body = await signed(cookie, key, one, { approve: true })
    expect((await decide(cookie, two, body)).status).toBe(422)
    const other = await colleague(cookie)
    expect((await decide(other.cookie, one, body)).status).toBe(403)
    const again = await signed(cookie, key, one, { approve: false })
    expect((await decide(cookie, one, again)).status).toBe(200)
    expect((await decide(cookie, one, again)).status).not.toBe(200)
    expect((await decide(cookie, two, again)).status).not.toBe(200)
  })

  test.each([
    ['another site', { origin: 'https://evil.example' }],
    ['a user who was not verified', { flags: 1 }],
    ['another relying party', { rpId: 'evil.example' }],
  ])('made for %s decides nothing', async (_, bend) => {
    const { key, cookie } = await withPasskey(acme.cookie)
    const id = await held()
    expect((await decide(cookie, id, await signed(cookie, key, id, { approve: true }, bend))).status).toBe(403)
    expect((await call(cookie, 'GET', `/approvals/${id}`)).body['status']).toBe('pending')
  })

  test('is not given out as a proof: what was signed to decide does not step up, nor the other way round', async () => {
    const { key, cookie } = await withPasskey(acme.cookie)
    const id = await held()
    const { countersignature } = await signed(cookie, key, id, { approve: true })
    expect((await call(cookie, 'POST', '/mfa/verification/passkey', countersignature)).status).toBe(403)
  })
})

/** Every single text, number and flag of the file, changed by itself. */
function* changes(value: unknown, path: readonly (string | number)[] = []): Generator<readonly (string | number)[]> {
  if (typeof value === 'object' && value !== null)
    for (const [name, part] of Object.entries(value))
      yield* changes(part, [...path, Array.isArray(value) ? Number(name) : name])
  else yield path
}
function changed(file: CountersignatureFile, path: readonly (string | number)[], at: number): string {
  const copy = structuredClone(file) as unknown as Record<string | number, unknown>
  let holder = copy
  for (const name of path.slice(0, -1)) holder = holder[name] as typeof holder
  const last = path.at(-1) ?? ''
  const value = holder[last]
  if (typeof value === 'string') {
    const index = Math.floor(value.length * at)
    const other = value[index] === 'A' ? 'B' : 'A'
    holder[last] = value.slice(0, index) + other + value.slice(index + 1)
  } else holder[last] = typeof value === 'number' ? value + 1 : !value
  return JSON.stringify(copy)
}

describe('an exported approval', () => {
  const exported = async (more: object = {}) => {
    const { key, cookie } = await withPasskey(acme.cookie)
    const id = await held(more)
    expect((await decide(cookie, id, await signed(cookie, key, id, { approve: true, reason: 'seen it' }))).status).toBe(
      200,
    )
    const bare = (await call(cookie, 'GET', `/approvals/${id}/countersignature?proofs=false`))
      .body as unknown as CountersignatureFile
    let full: Answer = await call(cookie, 'GET', `/approvals/${id}/countersignature`)
    // Under a signed checkpoint within a second of the commit.
    for (const end = Date.now() + 20_000; full.status === 409 && Date.now() < end; )
      full = await call(cookie, 'GET', `/approvals/${id}/countersignature`)
    expect(full.status, full.text).toBe(200)
    const log = readVerifier((await server.call('GET', '/trail/key')).text.trim())
    return { id, bare, full: full.body as CountersignatureFile, log, cookie }
  }

  test('is verified offline by who trusts the key or the log, by nobody who trusts neither, and not after any change', async () => {
    const { id, bare, full, log } = await exported()
    const key = bare.countersignatures[0]?.registration.public_key ?? ''
    const [decision] = verifyCountersignatures(JSON.stringify(bare), { keys: [key] })
    expect(decision).toMatchObject({
      decision: 'approve',
      reason: 'seen it',
      decider: acme.person,
      asked: { id, tool: 'deploy' },
    })
    expect(verifyCountersignatures(JSON.stringify(full), { log })[0]?.entries?.decision).toBeGreaterThan(0)

    expect(() => verifyCountersignatures(JSON.stringify(bare), {})).toThrow('Nothing is trusted')
    expect(() => verifyCountersignatures(JSON.stringify(full), {})).toThrow('Nothing is trusted')
    const stranger = pretendPasskey().id
    expect(() => verifyCountersignatures(JSON.stringify(bare), { keys: [stranger] })).toThrow('not trusted')
    const otherLog = { ...log, publicKey: log.publicKey.map((byte) => byte ^ 1) }
    expect(() => verifyCountersignatures(JSON.stringify(full), { log: otherLog })).toThrow()

    for (const [file, trust] of [
      [bare, { keys: [key] }],
      [full, { log }],
    ] as const) {
      let count = 0
      for (const path of changes(file))
        for (const at of [0, 0.3, 0.6, 0.999]) {
          count += 1
          const text = changed(file, path, at)
          expect(() => verifyCountersignatures(text, trust), `${path.join('.')} at ${at}`).toThrow()
        }
      expect(count).toBeGreaterThan(file === bare ? 25 : 33)
    }
  })

  test('that is too long for an entry is in the trail by its digest, and verified like any other', async () => {
    const { full, log } = await exported({ tool_args: { text: 'x'.repeat(20_000) } })
    const [one] = full.countersignatures
    expect(one?.content.length).toBeGreaterThan(20_000)
    expect(verifyCountersignatures(JSON.stringify(full), { log })).toMatchObject([{ decision: 'approve' }])
    const proven = JSON.stringify(full.proofs)
    expect(proven.length).toBeLessThan(20_000)
    // Another long content under the same entry, whatever key signed it, is another decision.
    const longer = changed(full, ['countersignatures', 0, 'content'], 0.5)
    expect(() => verifyCountersignatures(longer, { log })).toThrow()
  })

  test('has all its proofs under one checkpoint, and under the very one that somebody kept', async () => {
    const { id, full, cookie } = await exported()
    const headIn = (proof: string) => readCheckpoint(readNote(readEntryProof(proof).checkpoint).text)
    const [proofs] = full.proofs ?? []
    const kept = headIn(proofs?.decision ?? '')
    expect(headIn(proofs?.registration ?? '').size).toBe(kept.size)

    // The log grows; under its newest checkpoint the trusted one no longer fits, and the old one can be asked for.
    await server.newKey({ ...acme, cookie })
    let newest: Answer
    do newest = await call(cookie, 'GET', `/approvals/${id}/countersignature`)
    while (headIn((newest.body as CountersignatureFile).proofs?.[0]?.decision ?? '').size === kept.size)
    expect(() => verifyCountersignatures(newest.text, { head: kept })).toThrow('not under the trusted one')
    const asked = await call(cookie, 'GET', `/approvals/${id}/countersignature?size=${kept.size}`)
    expect(asked.status, asked.text).toBe(200)
    expect(verifyCountersignatures(asked.text, { head: kept })).toMatchObject([{ decision: 'approve' }])
    const forged = { ...kept, root: kept.root.map((byte) => byte ^ 1) }
    expect(() => verifyCountersignatures(asked.text, { head: forged })).toThrow('not under the trusted one')
    expect((await call(cookie, 'GET', `/approvals/${id}/countersignature?size=1`)).status).not.toBe(200)
  })

  test('cannot carry what nobody checks', async () => {
    const { bare } = await exported()
    const key = bare.countersignatures[0]?.registration.public_key ?? ''
    const more = { ...bare, approved_by: 'somebody important' }
    expect(() => verifyCountersignatures(JSON.stringify(more), { keys: [key] })).toThrow('does not belong here')
    const [one] = bare.countersignatures
    const twice = { ...bare, countersignatures: [one, one] }
    expect(() => verifyCountersignatures(JSON.stringify(twice), { keys: [key] })).toThrow('counted twice')
  })
})
