import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, type ServerApart, serverApart, type TestTenant } from '../server.ts'
import { expectWholeTrail } from '../whole-trail.ts'

// Contracts and compositions of the older console (console §8–9, acceptance 29–44).

let server: ServerApart
let acme: TestTenant

const definition = (word: string, more: object = {}) => ({
  tool: 'Bash',
  when: { 'args.command': { contains: word } },
  then: { effect: 'deny', message: `no ${word}` },
  ...more,
})

beforeAll(async () => {
  server = await serverApart()
  acme = await server.newTenant('acme')
})

afterAll(async () => {
  await server.stop(expectWholeTrail)
})

const call = (method: string, path: string, body?: object): Promise<Answer> =>
  server.call(method, `/api/v1${path}`, { cookie: acme.cookie, ...(body && { body }) })

const add = (id: string, more: object = {}) =>
  call('POST', '/contracts', { contract_id: id, name: id, type: 'pre', definition: definition(id), ...more })

test('a contract is made, read, changed and removed with the answers older clients know', async () => {
  const made = await add('no-rm', { description: 'Never.', tags: ['shell'] })
  expect(made.status, made.text).toBe(201)
  expect(made.body).toMatchObject({
    contract_id: 'no-rm',
    tenant_id: acme.tenant,
    type: 'pre',
    version: 1,
    is_latest: true,
    definition: definition('no-rm'),
    description: 'Never.',
    tags: ['shell'],
    created_by: acme.person,
    versions: [{ version: 1, created_by: acme.person }],
  })
  const changed = await call('PUT', '/contracts/no-rm', { name: 'Renamed' })
  expect(changed.body).toMatchObject({
    version: 2,
    name: 'Renamed',
    description: 'Never.',
    definition: definition('no-rm'),
  })
  const first = await call('GET', '/contracts/no-rm/versions/1')
  expect(first.body).toMatchObject({ version: 1, name: 'no-rm', is_latest: false })
  expect((await call('GET', '/contracts/no-rm/versions/9')).status).toBe(404)
  expect((await call('GET', '/contracts/no-rm/usage')).body).toEqual([])
  const removed = await call('DELETE', '/contracts/no-rm')
  expect([removed.status, removed.text]).toEqual([204, ''])
  expect((await call('GET', '/contracts/no-rm')).body).toEqual({ detail: "Contract 'no-rm' not found." })
})

test('what does not fit is refused: id, type, lengths, a taken id, no fields, a definition the language does not know', async () => {
  await add('taken')
  const refused: readonly (readonly [Promise<Answer>, number])[] = [
    [add('Bad Id'), 422],
    [add('bad-type', { type: 'none' }), 422],
    [add('bad-name', { name: 'x'.repeat(256) }), 422],
    [add('bad-text', { description: 'x'.repeat(2_001) }), 422],
    [add('taken'), 409],
    [add('bad-rule', { definition: { tool: 'Bash' } }), 422],
    [call('PUT', '/contracts/taken', {}), 422],
    [call('PUT', '/contracts/taken', { definition: { tool: 'Bash' } }), 422],
    [call('PUT', '/contracts/nobody', { name: 'x' }), 404],
  ]
  for (const [answer, status] of refused) expect((await answer).status, (await answer).text).toBe(status)
})

test('the list shows the newest versions with their use, and its filters combine', async () => {
  await add('listed', { tags: ['a'], name: '50% off' })
  await call('PUT', '/contracts/listed', { description: 'two' })
  await call('POST', '/compositions', { name: 'lists', contracts: [{ contract_id: 'listed' }] })
  const find = async (query: string) => (await call('GET', `/contracts?${query}`)).body as { contract_id: string }[]
  expect(await find('search=50%25')).toMatchObject([{ contract_id: 'listed', version: 2, usage_count: 1 }])
  expect(await find('tag=a&type=pre')).toHaveLength(1)
  expect(await find('tag=a&type=post')).toEqual([])
  expect((await call('GET', '/contracts/listed/usage')).body).toMatchObject([{ composition_name: 'lists' }])
  const stuck = await call('DELETE', '/contracts/listed')
  expect(stuck.status).toBe(409)
  expect((stuck.body as { detail: string }).detail).toContain('lists')
})

test('a composition puts contracts together in their positions and keeps its pins', async () => {
  await add('one')
  await add('two', { definition: definition('two', { mode: 'observe' }) })
  const made = await call('POST', '/compositions', {
    name: 'pair',
    defaults_mode: 'enforce',
    contracts: [
      { contract_id: 'one', position: 20 },
      { contract_id: 'two', position: 10 },
      { contract_id: 'listed', position: 30, enabled: false },
    ],
    tools_config: { Bash: { side_effect: 'write' } },
  })
  expect(made.status, made.text).toBe(201)
  expect(made.body).toMatchObject({
    name: 'pair',
    update_strategy: 'manual',
    created_by: acme.email,
    contracts: [
      { contract_id: 'two', contract_type: 'pre', contract_version: 1, position: 10, mode_override: null },
      { contract_id: 'one', position: 20, enabled: true, has_newer_version: false },
      { contract_id: 'listed', enabled: false },
    ],
  })
  await call('PUT', '/contracts/one', { definition: definition('uno') })
  const kept = await call('PUT', '/compositions/pair', { contracts: [{ contract_id: 'one' }, { contract_id: 'two' }] })
  expect(kept.body).toMatchObject({ contracts: [{ contract_version: 1, has_newer_version: true }, {}] })
  const preview = await call('POST', '/compositions/pair/preview')
  expect(preview.body).toMatchObject({ contracts_count: 2, validation_errors: [] })
  const { yaml_content: yaml } = preview.body as { yaml_content: string }
  expect(yaml).toContain('kind: ContractBundle')
  expect(yaml).toContain('effect: deny')
  expect(yaml.indexOf('id: one')).toBeLessThan(yaml.indexOf('id: two'))
})

test('deploying makes a bundle of that name live; again unchanged it makes no second version', async () => {
  const first = await call('POST', '/compositions/pair/deploy', { env: 'production' })
  expect(first.status, first.text).toBe(201)
  expect(first.body).toMatchObject({
    bundle_name: 'pair',
    bundle_version: 1,
    contracts_assembled: [
      { contract_id: 'one', version: 1, mode: 'enforce', shadow: false },
      { contract_id: 'two', version: 1, mode: 'observe', shadow: false },
    ],
    deployment_id: expect.any(String) as string,
  })
  const again = await call('POST', '/compositions/pair/deploy', { env: 'staging' })
  expect(again.body).toMatchObject({ bundle_version: 1 })
  expect((await call('POST', '/compositions/nobody/deploy', { env: 'production' })).status).toBe(404)
  await call('POST', '/compositions', { name: 'hollow', contracts: [] })
  expect((await call('POST', '/compositions/hollow/deploy', { env: 'production' })).status).toBe(422)
  const hollow = await call('POST', '/compositions/hollow/preview')
  expect(hollow.status).toBe(200)
  expect((hollow.body as { validation_errors: string[] }).validation_errors.length).toBeGreaterThan(0)
})

test('a second version of one contract runs beside the first and only observes', async () => {
  await call('PUT', '/compositions/pair', {
    contracts: [
      { contract_id: 'one', contract_version: 1 },
      { contract_id: 'one', contract_version: 2 },
    ],
  })
  const made = await call('POST', '/compositions/pair/deploy', { env: 'production' })
  expect(made.body).toMatchObject({
    contracts_assembled: [
      { contract_id: 'one', version: 1, mode: 'enforce', shadow: false },
      { contract_id: 'one', version: 2, mode: 'observe', shadow: true },
    ],
  })
})

test('a switch that would do nothing is refused instead of stored', async () => {
  const answer = await call('POST', '/compositions', { name: 'auto', update_strategy: 'auto_deploy' })
  expect(answer.status).toBe(422)
})

test('importing a bundle makes contracts and a composition with its own mode', async () => {
  const yaml = `apiVersion: edictum/v1
kind: ContractBundle
metadata: {name: brought}
defaults: {mode: observe}
contracts:
  - {id: brought-rule, type: pre, tool: a, when: {args.q: {exists: true}}, then: {effect: deny, message: no}}
`
  const made = await call('POST', '/contracts/import', { yaml_content: yaml })
  expect(made.status, made.text).toBe(201)
  expect(made.body).toMatchObject({
    contracts_created: ['brought-rule'],
    contracts_updated: [],
    bundle_composition_created: 'brought',
  })
  expect((await call('GET', '/contracts/brought-rule')).body).toMatchObject({ name: 'Brought Rule' })
  expect((await call('GET', '/compositions/brought')).body).toMatchObject({ defaults_mode: 'observe' })
  expect((await call('POST', '/contracts/import', { yaml_content: 'a: 1' })).status).toBe(422)
})

test('a composition is removed with 204; what it made stays', async () => {
  expect((await call('DELETE', '/compositions/pair')).status).toBe(204)
  expect((await call('GET', '/compositions/pair')).status).toBe(404)
  expect((await call('GET', '/bundles/pair')).status).toBe(200)
})
