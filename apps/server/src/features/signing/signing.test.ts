import type { SigningKey, SigningKeyFollowers } from '@countersign/wire'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { rollOutVersion, rollOutYaml, rulesetYaml } from '../../../test/rulesets-scene.ts'
import { type Answer, type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'
import { makeKeyring, makeSigningKeyPair, signatureMatches } from '../../kernel/crypto.ts'
import { endorsementText } from './endorse-signing-key.ts'
import { signWithKeys } from './sign-bytes.ts'

let server: ServerApart
let tenant: TestTenant

beforeAll(async () => {
  server = await serverApart()
})
afterAll(() => server.stop())
beforeEach(async () => {
  tenant = await server.newTenant()
})

const call = (method: string, path: string, body?: object, by = tenant): Promise<Answer> =>
  server.call(method, `/api/v2${path}`, { cookie: by.cookie, ...(body && { body }) })
const keys = async (by = tenant): Promise<readonly SigningKey[]> =>
  ((await call('GET', '/signing-keys', undefined, by)).body as { items: SigningKey[] }).items
const rotate = async (): Promise<SigningKey> => {
  const answer = await call('POST', '/signing-keys/rotate')
  expect(answer.status).toBe(201)
  return (answer.body as { key: SigningKey }).key
}

/** What a verifying SDK does with a fetch: its pinned key over the bytes. */
const fetchBy = async (key: string, agent = 'a1') => {
  const answer = await server.call('GET', '/v1/rulesets/base/current', { key, agent })
  const body = answer.body as { yaml: string; signature: string; public_key: string; version: number }
  const verifies = (publicKey: string): boolean =>
    signatureMatches(Buffer.from(publicKey, 'hex'), Buffer.from(body.yaml), Buffer.from(body.signature, 'base64'))
  return { ...body, verifies }
}

test('a new tenant has exactly one signing key, the current one, and its seed is nowhere in clear', async () => {
  const [only, ...others] = await keys()
  expect(others).toEqual([])
  expect(only).toMatchObject({ state: 'current', made_by: { kind: 'system' }, key_count: 0 })
  const [row] = await server.db.query<{ sealed: string }>(
    `select k.sealed_seed as sealed from signing_keys as k where k.tenant_id = $1`,
    [tenant.tenant],
  )
  expect(row?.sealed).toMatch(/^[0-9a-f]{8}:[A-Za-z0-9+/=]{80}$/)
})

test('rotation changes nothing for existing agent keys; new ones get the new key, for what is live already too', async () => {
  await rollOutYaml(server, tenant, rulesetYaml('base'))
  const before = await server.newKey(tenant)
  const [old] = await keys()
  const fresh = await rotate()
  const after = await server.newKey(tenant)
  const [byOld, byNew] = [await fetchBy(before.key), await fetchBy(after.key)]
  expect(byOld.public_key).toBe(old?.public_key)
  expect(byOld.verifies(old?.public_key ?? '')).toBe(true)
  expect(byNew.public_key).toBe(fresh.public_key)
  expect(byNew.verifies(fresh.public_key)).toBe(true)
  // The next rollout is signed by both.
  await rollOutYaml(server, tenant, rulesetYaml('base', 'next'))
  expect((await fetchBy(before.key)).verifies(old?.public_key ?? '')).toBe(true)
  expect((await fetchBy(after.key)).verifies(fresh.public_key)).toBe(true)
  expect((await keys()).map(({ state, key_count }) => [state, key_count])).toEqual([
    ['current', 1],
    ['older', 1],
  ])
})

test('keys that sign vouch for a new one, in what agents fetch, and in nobody else’s name', async () => {
  await rollOutYaml(server, tenant, rulesetYaml('base'))
  const { key } = await server.newKey(tenant)
  const [first] = await keys()
  const [second, third] = [await rotate(), await rotate()]
  const { body } = await server.call('GET', '/v1/rulesets/base/current', { key, agent: 'a1' })
  const { key_endorsements: said } = body as {
    key_endorsements: { public_key: string; by: string; signature: string }[]
  }
  expect(said.map((one) => [one.by, one.public_key])).toEqual(
    expect.arrayContaining([
      [first?.public_key, second.public_key],
      [first?.public_key, third.public_key],
      [second.public_key, third.public_key],
    ]),
  )
  expect(said).toHaveLength(3)
  const isVouched = (one: (typeof said)[number], of: string): boolean => {
    const text = Buffer.from(endorsementText(of, one.public_key))
    return signatureMatches(Buffer.from(one.by, 'hex'), text, Buffer.from(one.signature, 'base64'))
  }
  expect(said.every((one) => isVouched(one, tenant.tenant))).toBe(true)
  expect(said.some((one) => isVouched(one, crypto.randomUUID()))).toBe(false)
  for (const attack of ['delete from', 'truncate'])
    await expect(server.db.query(`${attack} signing_key_endorsements`)).rejects.toThrow(/denied/)
})

test('going back to a version from before a rotation verifies with the old key and the new one', async () => {
  await rollOutYaml(server, tenant, rulesetYaml('base', 'one'))
  await rollOutYaml(server, tenant, rulesetYaml('base', 'two'))
  const before = await server.newKey(tenant)
  const [old] = await keys()
  const fresh = await rotate()
  const after = await server.newKey(tenant)
  await rollOutVersion(server, tenant, 'base', 1)
  const [byOld, byNew] = [await fetchBy(before.key), await fetchBy(after.key)]
  expect([byOld.version, byNew.version]).toEqual([1, 1])
  expect(byOld.verifies(old?.public_key ?? '')).toBe(true)
  expect(byNew.verifies(fresh.public_key)).toBe(true)
})

test('an operator moves an agent key to another signing key, and its next fetch carries that one', async () => {
  await rollOutYaml(server, tenant, rulesetYaml('base'))
  const { id, key } = await server.newKey(tenant)
  const fresh = await rotate()
  expect((await fetchBy(key)).public_key).not.toBe(fresh.public_key)
  expect((await call('PATCH', `/keys/${id}`, { signing_key_id: fresh.id })).status).toBe(200)
  const moved = await fetchBy(key)
  expect(moved.public_key).toBe(fresh.public_key)
  expect(moved.verifies(fresh.public_key)).toBe(true)

  const other = await server.newTenant()
  const [theirs] = await keys(other)
  for (const signing_key_id of [theirs?.id, tenant.tenant]) {
    const refused = await call('PATCH', `/keys/${id}`, { signing_key_id })
    expect(refused.status).toBe(422)
    expect(refused.text).toContain('There is no such signing key.')
  }
  const old = (await keys()).find(({ state }) => state === 'older')
  await call('POST', `/signing-keys/${old?.id}/retire`, {})
  expect((await call('PATCH', `/keys/${id}`, { signing_key_id: old?.id })).status).toBe(422)
  expect((await fetchBy(key)).public_key).toBe(fresh.public_key)
})

test('retiring a key names the agent keys and agents that would freeze, and does it only when confirmed', async () => {
  await rollOutYaml(server, tenant, rulesetYaml('base'))
  const { id, key } = await server.newKey(tenant)
  await fetchBy(key, 'frozen-1')
  const [old] = await keys()
  await rotate()
  const path = `/signing-keys/${old?.id}/retire`
  await expect
    .poll(async () => (await call('GET', `/signing-keys/${old?.id}/followers`)).body as SigningKeyFollowers)
    .toMatchObject({ keys: [{ id, label: 'test' }], agents: [{ agent_id: 'frozen-1', key_id: id }] })

  for (const body of [{}, { confirm: 'yes' }]) {
    const asked = await call('POST', path, body)
    expect(asked.status).toBe(409)
    expect(asked.body).toMatchObject({ code: 'confirmation_needed', confirm: old?.public_key.slice(0, 8) })
    expect(asked.text).toContain('frozen-1')
  }
  expect((await keys()).find((one) => one.id === old?.id)?.state).toBe('older')
  const done = await call('POST', path, { confirm: old?.public_key.slice(0, 8) })
  expect(done.status).toBe(200)
  expect(done.body).toMatchObject({ state: 'retired' })
  expect((await call('POST', path, {})).status).toBe(409)

  // What is live keeps its signature; the next rollout has none of the retired key, and says so by another public key.
  expect((await fetchBy(key)).public_key).toBe(old?.public_key)
  await rollOutYaml(server, tenant, rulesetYaml('base', 'next'))
  expect((await fetchBy(key)).public_key).not.toBe(old?.public_key)
  // It stays readable, so that older signatures can still be checked.
  expect((await keys()).map(({ state }) => state)).toEqual(['current', 'retired'])
})

test('a key that nobody follows is retired without a word, the current one never', async () => {
  const [old] = await keys()
  const refused = await call('POST', `/signing-keys/${old?.id}/retire`, {})
  expect(refused.status).toBe(409)
  expect(refused.text).toContain('Rotate first')
  await rotate()
  expect((await call('POST', `/signing-keys/${old?.id}/retire`, {})).status).toBe(200)
})

test('rotations and rollouts that race leave one current key, and every live ruleset signed by every key', async () => {
  await rollOutYaml(server, tenant, rulesetYaml('base'))
  const acts = Array.from({ length: 12 }, (_, n) =>
    n % 3 === 0 ? rotate() : rollOutYaml(server, tenant, rulesetYaml(n % 2 === 0 ? 'base' : `set-${n}`, String(n))),
  )
  await Promise.all(acts)
  const all = await keys()
  expect(all.filter(({ state }) => state === 'current')).toHaveLength(1)
  const [row] = await server.db.query<{ missing: number }>(
    `select count(*) as missing from current_rollouts as c
       cross join signing_keys as k cross join (values ('ruleset'), ('contract_bundle')) as r (rendering)
      where c.tenant_id = $1 and k.tenant_id = $1 and k.retired_at is null
        and not exists (select from rollout_signatures as s where s.tenant_id = c.tenant_id and s.rollout_id = c.rollout_id
                          and s.signing_key_id = k.id and s.rendering = r.rendering)`,
    [tenant.tenant],
  )
  expect(row?.missing).toBe(0)
})

test('the older wire rotates too, and agents can read the public keys', async () => {
  await rollOutYaml(server, tenant, rulesetYaml('base'))
  const { key } = await server.newKey(tenant)
  const [old] = await keys()
  const answer = await server.call('POST', '/api/v1/settings/rotate-signing-key', { cookie: tenant.cookie })
  expect(answer.status).toBe(201)
  expect(answer.body).toMatchObject({
    public_key: expect.stringMatching(/^[0-9a-f]{64}$/),
    rotated_at: expect.stringMatching(/Z$/),
    deployments_re_signed: 1,
  })
  const list = (await server.call('GET', '/v1/signing-keys', { key })).body
  expect(list).toMatchObject({ served_by: old?.id, signing_keys: [{ is_current: true }, { is_current: false }] })
})

test('a server that was given another sealing key says which key cannot be opened', () => {
  const [ours, theirs] = [makeKeyring(['5'.repeat(64)]), makeKeyring(['6'.repeat(64)])]
  const seed = makeSigningKeyPair().seed
  const key = { id: 'k1', publicKey: 'ab'.repeat(32), sealedSeed: ours.seal('signing-key', 't1/k1', seed) }
  expect(signWithKeys({ sealing: ours })('t1', [key], Buffer.from('x'))).toHaveLength(1)
  expect(() => signWithKeys({ sealing: theirs })('t1', [key], Buffer.from('x'))).toThrow(
    /abababab cannot be opened.*COUNTERSIGN_SEAL_KEY/,
  )
  // Nor does a seed that was moved to another tenant's row.
  expect(() => signWithKeys({ sealing: ours })('t2', [key], Buffer.from('x'))).toThrow(/cannot be opened/)
})

test('keys of another tenant do not exist, and every route needs a credential', async () => {
  const other = await server.newTenant()
  const [mine] = await keys()
  for (const [method, path] of [
    ['GET', `/signing-keys/${mine?.id}/followers`],
    ['POST', `/signing-keys/${mine?.id}/retire`],
  ] as const) {
    const body = method === 'POST' ? {} : undefined
    expect((await call(method, path, body, other)).status).toBe(404)
    expect((await server.call(method, `/api/v2${path}`, { body })).status).toBe(401)
  }
  expect((await server.call('GET', '/api/v2/signing-keys')).status).toBe(401)
  expect((await server.call('POST', '/api/v2/signing-keys/rotate')).status).toBe(401)
  expect((await keys(other))[0]?.id).not.toBe(mine?.id)
  expect((await call('GET', '/signing-keys/not-an-id/followers')).status).toBe(422)
})
