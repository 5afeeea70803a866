import { diffRulesets, parseRuleset } from '@countersign/rules'
import type { Composition, CompositionPreview, LibraryRuleDetail, RulesetImport } from '@countersign/wire'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Answer, type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'

let server: ServerApart
let acme: TestTenant

const rule = (word: string, more = '') =>
  `type: pre\n${more}tool: Bash\nwhen: {args.command: {contains: "${word}"}}\nthen: {action: block, message: "no ${word}"}\n`

beforeAll(async () => {
  server = await serverApart()
  acme = await server.newTenant('acme')
})

afterAll(() => server.stop())

const call = (method: string, path: string, body?: object): Promise<Answer> =>
  server.call(method, `/api/v2${path}`, { cookie: acme.cookie, ...(body && { body }) })

async function must<Body>(method: string, path: string, body?: object): Promise<Body> {
  const answer = await call(method, path, body)
  expect(answer.status, answer.text).toBeLessThan(300)
  return answer.body as Body
}

const addRule = (id: string, yaml: string) => must('POST', '/library/rules', { rule_id: id, name: id, yaml })

test('a rule is kept in both dialects, a change makes a version, and older versions stay', async () => {
  await addRule('versioned', rule('rm'))
  await must('PUT', '/library/rules/versioned', { yaml: rule('dd'), tags: ['disk'] })
  const now = await must<LibraryRuleDetail>('GET', '/library/rules/versioned')
  expect(now).toMatchObject({ version: 2, type: 'pre', tags: ['disk'] })
  expect(now.yaml.ruleset).toContain('action: block')
  expect(now.yaml.contract_bundle).toContain('effect: deny')
  expect(now.versions.map(({ version }) => version)).toEqual([2, 1])
  const before = await must<LibraryRuleDetail>('GET', '/library/rules/versioned/versions/1')
  expect(before.yaml.ruleset).toContain('rm')
  expect(before.tags).toEqual([])
})

test('what the checker refuses is not kept, and says where', async () => {
  for (const yaml of ['type: pre', rule('x').replace('action', 'actoin'), '- a\n- b\n', 'kind: [']) {
    const answer = await call('POST', '/library/rules', { rule_id: 'refused', name: 'r', yaml })
    expect(answer.status, answer.text).toBe(422)
    expect((answer.body as { diagnostics: unknown[] }).diagnostics.length, answer.text).toBeGreaterThan(0)
  }
  expect((await call('GET', '/library/rules/refused')).status).toBe(404)
  await addRule('typed', rule('a'))
  const other = 'type: session\nlimits: {max_tool_calls: 3}\nthen: {action: block, message: no}\n'
  expect((await call('PUT', '/library/rules/typed', { yaml: other })).status).toBe(422)
  expect((await call('POST', '/library/rules', { rule_id: 'typed', name: 'again', yaml: rule('a') })).status).toBe(409)
})

test('racing changes of one rule each get a version of their own', async () => {
  await addRule('raced', rule('0'))
  await Promise.all(Array.from({ length: 6 }, (_, n) => must('PUT', '/library/rules/raced', { yaml: rule(`w${n}`) })))
  const { versions } = await must<LibraryRuleDetail>('GET', '/library/rules/raced')
  expect(versions.map(({ version }) => version)).toEqual([7, 6, 5, 4, 3, 2, 1])
})

test('a composition keeps order, switches and modes: item before rule before default', async () => {
  await addRule('plain', rule('plain'))
  await addRule('own-mode', rule('own', 'mode: observe\n'))
  await addRule('off', rule('off'))
  await must('POST', '/compositions', {
    name: 'ordered',
    default_mode: 'enforce',
    items: [
      { rule_id: 'own-mode' },
      { rule_id: 'plain' },
      { rule_id: 'off', is_enabled: false },
      { rule_id: 'versioned', mode: 'observe' },
    ],
  })
  const { yaml, is_valid } = await must<CompositionPreview>('POST', '/compositions/ordered/preview')
  expect(is_valid).toBe(true)
  const parsed = parseRuleset(yaml)
  const rules = parsed.ok ? parsed.ruleset.rules.map(({ id, mode }) => [id, mode]) : []
  expect(rules).toEqual([
    ['own-mode', 'observe'],
    ['plain', 'enforce'],
    ['versioned', 'observe'],
  ])
})

test('pins stay until somebody upgrades them', async () => {
  await addRule('pinned', rule('one'))
  await must('POST', '/compositions', { name: 'pins', items: [{ rule_id: 'pinned' }] })
  await must('PUT', '/library/rules/pinned', { yaml: rule('two') })
  const before = await must<Composition>('GET', '/compositions/pins')
  expect(before).toMatchObject({ newer_versions: 1, items: [{ version: 1, latest_version: 2 }] })
  const items = [{ rule_id: 'pinned', mode: 'observe' }]
  const kept = await must<Composition>('PUT', '/compositions/pins', { items, expected_edit: before.edit })
  expect(kept.items[0]).toMatchObject({ version: 1, mode: 'observe' })
  const upgraded = await must<Composition>('PUT', '/compositions/pins', {
    items: [{ rule_id: 'pinned', version: 2 }],
    expected_edit: kept.edit,
  })
  expect(upgraded).toMatchObject({ newer_versions: 0, items: [{ version: 2 }] })
})

test('of two who change the same composition the second is told what the first made of it', async () => {
  const made = await must<Composition>('POST', '/compositions', { name: 'shared', items: [{ rule_id: 'plain' }] })
  const [first, second] = await Promise.all([
    call('PUT', '/compositions/shared', { description: 'one', expected_edit: made.edit }),
    call('PUT', '/compositions/shared', { description: 'two', expected_edit: made.edit }),
  ])
  expect([first.status, second.status].sort()).toEqual([200, 409])
  const refused = first.status === 409 ? first : second
  expect(refused.body).toMatchObject({ edit: made.edit + 1, items: [{ rule_id: 'plain', version: 1 }] })
})

test('a composition makes a revision once for each text, and rolls it out', async () => {
  await must('POST', '/compositions', { name: 'shipped', items: [{ rule_id: 'plain' }] })
  const first = await must('POST', '/compositions/shipped/revisions')
  expect(first).toEqual({ ruleset: 'shipped', version: 1, is_new: true })
  const again = await must('POST', '/compositions/shipped/rollouts', { environment: 'production' })
  expect(again).toMatchObject({ version: 1, is_new: false, rollout_id: expect.any(String) as string })
  expect(await must('GET', '/rulesets/shipped')).toMatchObject({
    revision_count: 1,
    live: [{ environment: 'production', version: 1 }],
  })
  const preview = await must<CompositionPreview>('POST', '/compositions/shipped/preview')
  expect(preview.same_as_version).toBe(1)
})

test('a composition that makes no valid ruleset is shown so, and neither kept nor rolled out', async () => {
  await must('POST', '/compositions', { name: 'broken', tools: { Bash: { side_effect: 'sideways' } }, items: [] })
  const preview = await must<CompositionPreview>('POST', '/compositions/broken/preview')
  expect(preview.is_valid).toBe(false)
  expect(preview.diagnostics.map(({ severity }) => severity)).toContain('error')
  expect((await call('POST', '/compositions/broken/revisions')).status).toBe(422)
  expect((await call('POST', '/compositions/broken/rollouts', { environment: 'production' })).status).toBe(422)
  expect((await call('GET', '/rulesets/broken')).status).toBe(404)
})

test('a rule that a composition uses stays, and says which', async () => {
  await addRule('needed', rule('needed'))
  await must('POST', '/compositions', { name: 'needs-it', items: [{ rule_id: 'needed' }] })
  const answer = await call('DELETE', '/library/rules/needed')
  expect(answer.status).toBe(409)
  expect(answer.body).toMatchObject({ compositions: ['needs-it'] })
  await must('DELETE', '/compositions/needs-it')
  await must('DELETE', '/library/rules/needed')
  expect((await call('GET', '/library/rules/needed')).status).toBe(404)
})

const imported = `apiVersion: edictum/v1
kind: ContractBundle
metadata: {name: imported, description: Brought along.}
defaults: {mode: observe}
tools:
  Bash: {side_effect: irreversible}
  look: {side_effect: read, idempotent: true}
observability:
  stdout: false
  otel: {enabled: true, endpoint: "http://otel:4317", resource_attributes: {team: sre}}
contracts:
  - id: watched
    type: pre
    tool: Bash
    when: {args.command: {contains: rm}}
    then: {effect: approve, message: Ask., timeout: 60, timeout_effect: allow, tags: [a], metadata: {k: 1}}
  - id: enforced
    type: pre
    mode: enforce
    tool: "*"
    when: {all: [{args.q: {matches: 'x+'}}, {not: {principal.role: {in: [a, b]}}}]}
    then: {effect: deny, message: "{args.q}"}
  - id: box
    type: sandbox
    tools: [Bash]
    allows: {commands: [ls], domains: ["*.example.com"]}
    outside: approve
    message: Outside.
  - id: cap
    type: session
    limits: {max_tool_calls: 9, max_calls_per_tool: {Bash: 2}}
    then: {effect: deny, message: Enough.}
`

test('an imported ruleset comes out again as it went in, its mode, tools and observability kept', async () => {
  const made = await must<RulesetImport>('POST', '/library/import', { yaml: imported })
  expect(made).toMatchObject({
    created: ['watched', 'enforced', 'box', 'cap'],
    composition: 'imported',
    composition_is: 'created',
  })
  const { yaml, is_valid } = await must<CompositionPreview>('POST', '/compositions/imported/preview')
  expect(is_valid).toBe(true)
  const [before, after] = [parseRuleset(imported), parseRuleset(yaml)]
  if (!before.ok || !after.ok) throw new Error('not parsed')
  const diff = diffRulesets(before.ruleset, after.ruleset)
  // Modes are written out now; each is the one that held before.
  expect(diff.modes).toEqual([])
  expect(
    diff.changed.flatMap(({ fields }) => fields.map(({ field }) => field)).filter((one) => one !== 'mode'),
  ).toEqual([])
  expect({ ...diff, changed: [], isSame: true }).toMatchObject({
    document: [],
    added: [],
    removed: [],
    moved: [],
    tools: [],
  })
})

test('importing again changes only what differs, and says what became of the composition', async () => {
  const again = await must<RulesetImport>('POST', '/library/import', { yaml: imported, existing: 'skip' })
  expect(again).toMatchObject({ created: [], updated: [], composition_is: 'skipped' })
  expect(again.unchanged).toHaveLength(4)
  const changed = imported.replace('contains: rm', 'contains: dd').replace('id: cap', 'id: cap-two')
  const merged = await must<RulesetImport>('POST', '/library/import', { yaml: changed, existing: 'merge' })
  expect(merged).toMatchObject({ created: ['cap-two'], updated: ['watched'], composition_is: 'merged' })
  const both = await must<Composition>('GET', '/compositions/imported')
  expect(both.items.map(({ rule_id: id, version }) => `${id} ${version}`)).toEqual([
    'watched 2',
    'enforced 1',
    'box 1',
    'cap 1',
    'cap-two 1',
  ])
  const replaced = await must<RulesetImport>('POST', '/library/import', { yaml: changed, existing: 'replace' })
  expect(replaced.composition_is).toBe('replaced')
  expect((await must<Composition>('GET', '/compositions/imported')).items).toHaveLength(4)
})

test.each([
  ['a rule twice', imported.replace('id: enforced', 'id: watched')],
  ['no rules', imported.replace(/contracts:[\s\S]*/, 'contracts: []\n')],
  ['another version', imported.replace('edictum/v1', 'edictum/v9')],
  ['another kind', imported.replace('ContractBundle', 'Bundle')],
  ['a parent', imported.replace('kind: ContractBundle', 'kind: ContractBundle\nextends: base')],
  ['a single rule', rule('x')],
])('an import with %s is refused and writes nothing', async (_what, yaml) => {
  const text = yaml.replaceAll('name: imported', 'name: refused-import')
  const answer = await call('POST', '/library/import', { yaml: text })
  expect(answer.status, answer.text).toBe(422)
  expect((await call('GET', '/compositions/refused-import')).status).toBe(404)
})

test('searching takes percent signs and underscores as they are, and filters combine', async () => {
  await must('POST', '/library/rules', { rule_id: 'odd_name', name: '100% sure', tags: ['odd'], yaml: rule('x') })
  const find = async (query: string) =>
    (await must<{ items: { rule_id: string }[]; total: number }>('GET', `/library/rules?${query}`)).items.map(
      ({ rule_id: id }) => id,
    )
  expect(await find('q=100%25')).toEqual(['odd_name'])
  expect(await find('q=d_n')).toEqual(['odd_name'])
  expect(await find('q=%25')).toEqual(['odd_name'])
  expect(await find('tag=odd&type=pre')).toEqual(['odd_name'])
  expect(await find('tag=odd&type=session')).toEqual([])
  const page = await must<{ items: unknown[]; next_cursor: string; total: number }>('GET', '/library/rules?limit=2')
  expect(page.items).toHaveLength(2)
  expect(page.total).toBeGreaterThan(2)
  const next = await must<{ items: { rule_id: string }[] }>(
    'GET',
    `/library/rules?limit=200&cursor=${page.next_cursor}`,
  )
  expect(next.items).toHaveLength(page.total - 2)
})

test('every template can be uploaded and imported as it is', async () => {
  const { items } = await must<{ items: { name: string; title: string; rule_count: number; yaml: string }[] }>(
    'GET',
    '/library/templates',
  )
  expect(items.map(({ name }) => name)).toEqual(['devops', 'files', 'finance', 'health-data', 'research'])
  for (const { yaml, rule_count: count, title } of items) {
    const checked = await must<{ is_valid: boolean; outline: { rules: unknown[] } }>('POST', '/rulesets/check', {
      yaml,
    })
    expect(checked.is_valid, title).toBe(true)
    expect(checked.outline.rules).toHaveLength(count)
    expect((await must<RulesetImport>('POST', '/library/import', { yaml })).composition_is).toBe('created')
  }
})

test('what was done to the library and to compositions is in the trail', async () => {
  const rows = await server.db.query<{ act: string }>(
    `select distinct e.act from trail_entries as e where e.act like 'library_rule.%' or e.act like 'composition.%'`,
  )
  expect(rows.map(({ act }) => act).sort()).toEqual([
    'composition.changed',
    'composition.created',
    'composition.deleted',
    'library_rule.changed',
    'library_rule.created',
    'library_rule.deleted',
  ])
})
