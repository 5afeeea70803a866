import type { RulesetRevision, RulesetRevisionDetail } from '@countersign/wire'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { rollOutYaml, rulesetYaml } from '../../../test/rulesets-scene.ts'
import { type Answer, type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'

let server: ServerApart
let tenant: TestTenant

beforeAll(async () => {
  server = await serverApart()
})
afterAll(() => server.stop())
beforeEach(async () => {
  tenant = await server.newTenant()
})

const path = '/api/v2/rulesets'
const upload = (yaml: string, note?: string, by = tenant): Promise<Answer> =>
  server.call('POST', path, { cookie: by.cookie, body: { yaml, ...(note !== undefined && { note }) } })
const get = (rest: string, by = tenant): Promise<Answer> => server.call('GET', `${path}${rest}`, { cookie: by.cookie })
const revisionIn = (answer: Answer): RulesetRevision => answer.body as RulesetRevision

test('an upload becomes the next version of its name, with a note, both hashes and who did it', async () => {
  const first = await upload(rulesetYaml('base', 'one'), 'because')
  expect(first.status).toBe(201)
  const made = revisionIn(first)
  expect(made).toMatchObject({ ruleset: 'base', version: 1, dialect: 'ruleset', rule_count: 1, note: 'because' })
  expect(made.uploaded_by).toEqual({ kind: 'person', id: tenant.person, label: tenant.email })
  expect(made.hash).toBe(made.hashes.ruleset)
  expect(made.hashes.contract_bundle).not.toBe(made.hash)
  // The same text again is a version of its own.
  expect(revisionIn(await upload(rulesetYaml('base', 'one')))).toMatchObject({ version: 2, hash: made.hash })
  const list = (await get('/base/revisions?limit=1')).body as { items: RulesetRevision[]; next_cursor: string }
  expect(list.items.map(({ version }) => version)).toEqual([2])
  const rest = (await get(`/base/revisions?cursor=${list.next_cursor}`)).body
  expect(rest).toMatchObject({ items: [{ version: 1 }], next_cursor: null })
})

test('of uploads that race each gets a version of its own and none is lost', async () => {
  const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => upload(rulesetYaml('raced', String(n)))))
  const versions = answers.map((answer) => revisionIn(answer).version).toSorted((a, b) => a - b)
  expect(versions).toEqual(Array.from({ length: 12 }, (_, n) => n + 1))
})

test('a document with mistakes is refused with each of them at its line and column, and nothing is kept', async () => {
  const broken = rulesetYaml('broken').replace('type: pre', 'type: per').replace('action: block', 'action: explode')
  const refused = await upload(broken)
  expect(refused.status).toBe(422)
  const { code, diagnostics, errors } = refused.body as {
    code: string
    diagnostics: { line: number; column: number; severity: string }[]
    errors: { path: string; message: string }[]
  }
  expect(code).toBe('invalid_input')
  expect(diagnostics.filter(({ severity }) => severity === 'error').length).toBeGreaterThan(0)
  expect(diagnostics[0]?.line).toBe(10)
  expect(errors[0]).toMatchObject({ path: 'body.yaml', message: expect.stringMatching(/^line 10, column \d+: /) })
  expect((await get('/broken')).status).toBe(404)
  const old = await server.call('POST', '/api/v1/bundles', { cookie: tenant.cookie, body: { yaml_content: broken } })
  expect(old.status).toBe(422)
  expect(old.body).toMatchObject({
    detail: [{ loc: ['body', 'yaml_content'], msg: expect.stringMatching(/^line 10, column \d+: /) }],
  })
})

test('checking tells the same without keeping anything, and names the version that has this text already', async () => {
  const check = async (yaml: string) =>
    (await server.call('POST', `${path}/check`, { cookie: tenant.cookie, body: { yaml } })).body
  expect(await check(rulesetYaml('base'))).toMatchObject({
    is_valid: true,
    name: 'base',
    dialect: 'ruleset',
    same_as_version: null,
    outline: { rules: [{ id: 'no-env', action: 'block', mode: 'enforce', tools: ['read_file'], line: 9 }] },
  })
  expect((await get('/base')).status).toBe(404)
  await upload(rulesetYaml('base'))
  expect(await check(rulesetYaml('base'))).toMatchObject({ same_as_version: 1 })
  expect(await check('a: [')).toMatchObject({ is_valid: false, outline: null, name: null })
})

test('names that agents could not ask for are refused where they stand', async () => {
  for (const name of ['current', 'x'.repeat(129)]) {
    const refused = await upload(rulesetYaml(name))
    expect(refused.status).toBe(422)
    expect(refused.body).toMatchObject({ diagnostics: [{ path: '/metadata/name', line: 4, column: 3 }] })
  }
})

test('a ruleset that extends another holds its rules, pinned to the version of that moment', async () => {
  const child = `apiVersion: edictum/v1
kind: Ruleset
metadata:
  name: child
defaults:
  mode: observe
extends: parent   # the house rules
rules:
  - id: own
    type: session
    limits: { max_tool_calls: 5 }
    then: { action: block, message: Enough. }
`
  const orphan = await upload(child)
  expect(orphan.status).toBe(422)
  expect(orphan.body).toMatchObject({ diagnostics: [{ code: 'extends.missing', line: 7 }] })

  const parent = revisionIn(await upload(rulesetYaml('parent', 'first')))
  const made = revisionIn(await upload(child))
  expect(made).toMatchObject({
    version: 1,
    rule_count: 2,
    parents: [{ name: 'parent', version: 1, hash: parent.hash }],
  })
  await upload(rulesetYaml('parent', 'second').replace('no-env', 'no-env-2'))
  const kept = (await get('/child/revisions/1')).body as RulesetRevisionDetail
  expect(kept.source).toBe(child)
  expect(kept.outline.rules.map(({ id }) => id)).toEqual(['no-env', 'own'])
  expect(kept.yaml.ruleset).not.toContain('extends: parent')
  expect(kept.yaml.contract_bundle).toContain('kind: ContractBundle')
  const again = revisionIn(await upload(child))
  expect(again.parents).toMatchObject([{ version: 2 }])
  expect(again.hash).not.toBe(made.hash)
})

test('a ruleset cannot extend itself', async () => {
  await upload(rulesetYaml('self'))
  const loop = rulesetYaml('self').replace('rules:', 'extends: self\nrules:')
  expect((await upload(loop)).body).toMatchObject({ diagnostics: [{ code: 'extends.cycle' }] })
})

test('what differs between two versions is told by rule, in one dialect', async () => {
  await upload(rulesetYaml('base', 'x'))
  await upload(
    rulesetYaml('base', 'x')
      .replace('kind: Ruleset', 'kind: ContractBundle')
      .replace('rules:', 'contracts:')
      .replace('action: block', 'effect: approve'),
  )
  const diff = await get('/base/diff?from=1&to=2')
  expect(diff.body).toMatchObject({
    dialect: 'contract_bundle',
    semantic: {
      is_same: false,
      changed: [{ id: 'no-env', fields: [{ field: 'then.action', before: 'block', after: 'ask' }] }],
      added: [],
      removed: [],
    },
  })
  expect((diff.body as { before_yaml: string }).before_yaml).toContain('kind: ContractBundle')
  expect((await get('/base/diff?from=1&to=9')).status).toBe(404)
  expect((await get('/base/diff?from=0&to=1')).status).toBe(422)
})

test('the list says what is live where', async () => {
  await rollOutYaml(server, tenant, rulesetYaml('base', 'one'))
  await rollOutYaml(server, tenant, rulesetYaml('base', 'two'), 'staging')
  await upload(rulesetYaml('other'))
  const { items } = (await get('')).body as { items: { name: string; live: object[]; revision_count: number }[] }
  expect(items).toMatchObject([
    {
      name: 'base',
      revision_count: 2,
      latest: { version: 2, live_in: ['staging'] },
      live: [
        { environment: 'production', version: 1, rolled_out_by: { label: tenant.email } },
        { environment: 'staging', version: 2 },
      ],
    },
    { name: 'other', live: [] },
  ])
})

test('what belongs to another tenant does not exist, and needs a credential', async () => {
  await upload(rulesetYaml('secret'))
  const other = await server.newTenant()
  for (const rest of ['/secret', '/secret/revisions', '/secret/revisions/1', '/secret/diff?from=1&to=1']) {
    expect((await get(rest, other)).status, rest).toBe(404)
    expect((await server.call('GET', `${path}${rest}`)).status, rest).toBe(401)
  }
  expect((await get('', other)).body).toEqual({ items: [], next_cursor: null })
  expect((await server.call('POST', path, { body: { yaml: rulesetYaml('x') } })).status).toBe(401)
  // The same name is free for everybody, and their parents are out of reach.
  expect(revisionIn(await upload(rulesetYaml('secret'), undefined, other)).version).toBe(1)
  const thief = rulesetYaml('thief').replace('rules:', 'extends: only-mine\nrules:')
  await upload(rulesetYaml('only-mine'))
  expect((await upload(thief, undefined, other)).status).toBe(422)
})

test('unknown fields, wrong types and an agent key are refused', async () => {
  expect((await server.call('POST', path, { cookie: tenant.cookie, body: { yaml: 'x', more: 1 } })).status).toBe(422)
  expect((await server.call('POST', path, { cookie: tenant.cookie, body: { yaml: 5 } })).status).toBe(422)
  expect((await server.call('POST', path, { cookie: tenant.cookie, body: {} })).status).toBe(422)
  const { key } = await server.newKey(tenant)
  expect((await server.call('POST', path, { key, body: { yaml: rulesetYaml('x') } })).status).toBe(401)
  expect((await server.call('GET', path, { key })).status).toBe(401)
})

test('an upload is in the trail with its hashes', async () => {
  const made = revisionIn(await upload(rulesetYaml('told')))
  const rows = await server.db.query<{ bytes: Buffer }>(
    `select e.bytes from trail_entries as e where e.tenant_id = $1 and e.act = 'ruleset.uploaded'`,
    [tenant.tenant],
  )
  expect(rows).toHaveLength(1)
  const entry = JSON.parse(rows[0]?.bytes.toString() ?? '{}')
  expect(entry).toMatchObject({
    actor: { kind: 'person', id: tenant.person },
    subject: { kind: 'ruleset', id: 'told' },
    details: { version: 1, hashes: made.hashes },
  })
})

test('no revision, rollout or signature can be changed or removed, by the server’s role or by the owner', async () => {
  await rollOutYaml(server, tenant, rulesetYaml('base'))
  const attacks = ['revisions', 'rollouts', 'rollout_signatures'].flatMap((table) => [
    `update ${table} set tenant_id = tenant_id`,
    `delete from ${table}`,
    `truncate ${table} cascade`,
  ])
  const seed = `update signing_keys set sealed_seed = 'x'`
  for (const attack of [...attacks, seed])
    await expect(server.db.query(attack), attack).rejects.toThrow('permission denied')
  const owner = new pg.Client({ connectionString: server.database.ownerUrl })
  await owner.connect()
  for (const attack of attacks) await expect(owner.query(attack), attack).rejects.toThrow('insert-only')
  await owner.end()
})

test('with an agent key only what is live in its environment exists', async () => {
  await rollOutYaml(server, tenant, rulesetYaml('base', 'one'))
  await rollOutYaml(server, tenant, rulesetYaml('staged'), 'staging')
  await upload(rulesetYaml('base', 'two'))
  const { key } = await server.newKey(tenant)
  const read = (rest: string): Promise<Answer> => server.call('GET', `/api/v1/bundles${rest}`, { key, agent: 'a1' })
  expect((await read('')).body).toMatchObject([{ name: 'base', latest_version: 1, deployed_envs: ['production'] }])
  expect((await read('/base/1')).status).toBe(200)
  expect((await read('/base/1/yaml')).text).toContain('kind: ContractBundle')
  for (const rest of ['/base/2', '/base/2/yaml', '/staged/1', '/staged/1/yaml', '/staged/current']) {
    expect((await read(rest)).status, rest).toBe(404)
  }
  expect((await read('/base')).status).toBe(401)
  const versions = await server.call('GET', '/api/v1/bundles/base', { cookie: tenant.cookie })
  expect(versions.body).toMatchObject([
    { version: 2, deployed_envs: [], signature_hex: null },
    { version: 1, deployed_envs: ['production'], signature_hex: expect.stringMatching(/^[0-9a-f]{128}$/) },
  ])
})
