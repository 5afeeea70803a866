import type {
  BaselinesPreview,
  EnvironmentBaselines,
  Rollout,
  RolloutPreview,
  RulesetRevisionDetail,
} from '@countersign/wire'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rollOutYaml } from '../../../test/rulesets-scene.ts'
import { type Answer, type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'

let server: ServerApart
let acme: TestTenant

const yaml = (name: string, ids: readonly string[], mode = 'enforce') => `apiVersion: edictum/v1
kind: Ruleset
metadata: {name: ${name}}
defaults: {mode: ${mode}}
rules:
${ids.map((id) => `  - {id: ${id}, type: pre, tool: Bash, when: {args.command: {contains: ${id}}}, then: {action: block, message: no}}`).join('\n')}
`

beforeAll(async () => {
  server = await serverApart()
  acme = await server.newTenant('acme')
  await must('POST', '/rulesets', { yaml: yaml('base', ['never']) })
})

afterAll(() => server.stop())

const call = (method: string, path: string, body?: object): Promise<Answer> =>
  server.call(method, `/api/v2${path}`, { cookie: acme.cookie, ...(body && { body }) })

async function must<Body>(method: string, path: string, body?: object): Promise<Body> {
  const answer = await call(method, path, body)
  expect(answer.status, answer.text).toBeLessThan(300)
  return answer.body as Body
}

const set = (environment: string, baselines: readonly object[]) =>
  must<EnvironmentBaselines>('PUT', `/environments/${environment}/baselines`, { baselines })

const rollOut = (ruleset: string, version: number, environment = 'production') =>
  must<Rollout>('POST', `/rulesets/${ruleset}/rollouts`, { version, environment })

async function rulesOf(ruleset: string, version: number): Promise<string[]> {
  const { outline } = await must<RulesetRevisionDetail>('GET', `/rulesets/${ruleset}/revisions/${version}`)
  return outline.rules.map(({ id, mode }) => `${id} ${mode}`)
}

test('a ruleset that is rolled out includes the baseline, in front and in its own mode, and says so before', async () => {
  await must('POST', '/rulesets', { yaml: yaml('payments', ['pay'], 'observe') })
  await set('production', [{ ruleset: 'base', version: 1 }])
  const preview = await must<RolloutPreview>('POST', '/rulesets/payments/rollouts/preview', {
    version: 1,
    environment: 'production',
  })
  expect(preview.baselines).toEqual([{ ruleset: 'base', version: 1 }])
  expect(preview.after_yaml).toContain('never')
  const made = await rollOut('payments', 1)
  expect(made).toMatchObject({ ruleset: 'payments', version: 2, is_current: true })
  expect(await rulesOf('payments', 2)).toEqual(['never enforce', 'pay observe'])
  // Elsewhere it is what its author wrote, whichever of the two is asked for.
  expect((await rollOut('payments', 2, 'staging')).version).toBe(1)
  // Asked for again, no further revision is made.
  expect((await rollOut('payments', 1)).version).toBe(2)
})

test('older clients that deploy cannot leave it out either, and the baseline does not include itself', async () => {
  await rollOutYaml(server, acme, yaml('older', ['old']))
  const { items } = await must<{ items: Rollout[] }>('GET', '/rollouts?ruleset=older')
  expect(await rulesOf('older', items[0]?.version ?? 0)).toEqual(['never enforce', 'old enforce'])
  expect((await rollOut('base', 1)).version).toBe(1)
})

test('another baseline is brought to everything that is live, and none takes it away again', async () => {
  await must('POST', '/rulesets', { yaml: yaml('base', ['never', 'ever']) })
  const shown = await set('production', [{ ruleset: 'base', version: 2 }])
  const payments = shown.rulesets.find(({ ruleset }) => ruleset === 'payments')
  expect(payments).toMatchObject({ from_version: 1, is_included: true })
  expect(await rulesOf('payments', payments?.version ?? 0)).toEqual(['never enforce', 'ever enforce', 'pay observe'])
  const gone = await set('production', [])
  expect(gone.rulesets.find(({ ruleset }) => ruleset === 'payments')).toMatchObject({ version: 1, is_included: true })
})

test('going back is called so, although the revision with the baseline is a new one', async () => {
  await must('POST', '/rulesets', { yaml: yaml('moving', ['one']) })
  await must('POST', '/rulesets', { yaml: yaml('moving', ['two']) })
  await set('production', [{ ruleset: 'base', version: 1 }])
  expect(await rollOut('moving', 2)).toMatchObject({ kind: 'rollout' })
  expect(await rollOut('moving', 1)).toMatchObject({ kind: 'rollback' })
})

test('a baseline that something live cannot include changes nothing, and says what', async () => {
  const before = await must<EnvironmentBaselines>('GET', '/environments/production/baselines')
  await must('POST', '/rulesets', { yaml: yaml('clash', ['pay']) })
  const answer = await call('PUT', '/environments/production/baselines', {
    baselines: [{ ruleset: 'clash', version: 1 }],
  })
  expect(answer.status).toBe(422)
  expect(answer.text).toContain('payments')
  expect(await must('GET', '/environments/production/baselines')).toEqual(before)
  for (const baselines of [
    [{ ruleset: 'nobody', version: 1 }],
    [{ ruleset: 'base', version: 9 }],
    [
      { ruleset: 'base', version: 1 },
      { ruleset: 'base', version: 2 },
    ],
  ])
    expect((await call('PUT', '/environments/production/baselines', { baselines })).status).toBe(422)
  expect((await call('PUT', '/environments/nowhere/baselines', { baselines: [] })).status).toBe(404)
})

test('what other baselines would change is told before, ruleset by ruleset, and nothing is written', async () => {
  await set('production', [{ ruleset: 'base', version: 1 }])
  const preview = (baselines: readonly object[]) =>
    must<BaselinesPreview>('POST', '/environments/production/baselines/preview', { baselines })
  const of = ({ rulesets }: BaselinesPreview, name: string) => rulesets.find(({ ruleset }) => ruleset === name)
  const same = await preview([{ ruleset: 'base', version: 1 }])
  expect(same.rulesets.map(({ is_changed }) => is_changed)).not.toContain(true)
  const more = of(await preview([{ ruleset: 'base', version: 2 }]), 'payments')
  expect(more).toMatchObject({ is_changed: true, problem: null })
  expect(more?.semantic?.added.map(({ id }) => id)).toEqual(['ever'])
  const none = of(await preview([]), 'payments')
  expect(none?.semantic?.removed.map(({ id }) => id)).toEqual(['never'])
  const clash = await preview([{ ruleset: 'clash', version: 1 }])
  expect(of(clash, 'payments')?.problem).toContain('pay')
  expect((await preview([{ ruleset: 'nobody', version: 1 }])).problem).toContain('nobody')
  const kept = await must<EnvironmentBaselines>('GET', '/environments/production/baselines')
  expect(kept.baselines).toEqual([{ ruleset: 'base', version: 1 }])
})

test('who looked at other baselines than there are by now changes nothing', async () => {
  await set('production', [{ ruleset: 'base', version: 1 }])
  const late = { baselines: [], expected: [{ ruleset: 'base', version: 2 }] }
  const answer = await call('PUT', '/environments/production/baselines', late)
  expect(answer.status).toBe(409)
  expect(answer.text).toContain('base v1')
  const kept = await must<EnvironmentBaselines>('GET', '/environments/production/baselines')
  expect(kept.baselines).toEqual([{ ruleset: 'base', version: 1 }])
})

test('who changed the baselines is in the trail, with what they were before', async () => {
  const rows = await server.db.query<{ count: number }>(
    `select count(*)::int8 as count from trail_entries as e where e.act = 'environment.baselines_changed'`,
  )
  expect(rows[0]?.count).toBeGreaterThanOrEqual(3)
})
