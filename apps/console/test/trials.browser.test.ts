import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { accessFaults, type ConsoleScene, lookAt, openConsole } from '../../server/test/console-scene.ts'
import { rollOutYaml, rulesetYaml } from '../../server/test/rulesets-scene.ts'
import type { TestTenant } from '../../server/test/server.ts'

let scene: ConsoleScene
beforeAll(async () => {
  scene = await openConsole()
})
afterEach(() => scene.closePages())
afterAll(() => scene.stop())

/** The machine may be busy; a page that is right is right at once. */
const patiently = { timeout: 30_000 }

const yaml = (name: string, ids: readonly string[]): string => `apiVersion: edictum/v1
kind: Ruleset
metadata: {name: ${name}}
defaults: {mode: enforce}
rules:
${ids.map((id) => `  - {id: ${id}, type: pre, tool: Bash, when: {args.command: {contains: ${id}}}, then: {action: block, message: no}}`).join('\n')}
`

async function must(tenant: TestTenant, method: string, path: string, body?: object): Promise<unknown> {
  const answer = await scene.server.call(method, `/api/v2${path}`, { cookie: tenant.cookie, ...(body && { body }) })
  expect(answer.status, answer.text).toBeLessThan(300)
  return answer.body
}

test('a rollout observes first by a stated condition, and a person lets it enforce or abandons it', async () => {
  const tenant = await scene.server.newTenant()
  await rollOutYaml(scene.server, tenant, yaml('guard', ['old']))
  await must(tenant, 'POST', '/rulesets', { yaml: yaml('guard', ['old', 'fresh']) })
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/rulesets/guard?tab=rollouts&review=2&into=production')
  await page.getByText('Observe first', { exact: true }).click(patiently)
  const form = page.getByRole('form', { name: 'Observe first' })
  const start = form.getByRole('button', { name: 'Observe v2 in production' })
  await form.getByLabel('Type production').fill('production')
  await form.getByLabel('Observe for').fill('99999')
  await form.getByText('From 1 minute to 30 days').waitFor()
  expect(await start.isDisabled()).toBe(true)
  await form.getByLabel('Observe for').fill('2')
  await form.getByLabel('Calls it may stop').fill('5')
  await form.getByText('at most 5 calls would have been stopped').waitFor()
  expect(await accessFaults(page)).toEqual([])
  await start.click()

  const observing = page.getByRole('region', { name: 'Observing first' })
  await observing.getByText('No call would have been stopped so far; 5 are allowed').waitFor(patiently)
  await observing.getByText('fresh', { exact: true }).waitFor()
  expect(await accessFaults(page)).toEqual([])

  // Somebody rolls out something else meanwhile: what was looked at is no longer there to be let enforce.
  await observing.getByRole('button', { name: 'Enforce now' }).click()
  const ask = page.getByRole('dialog', { name: 'Enforce guard v2 in production' })
  await ask.getByLabel('Type production').fill('production')
  await ask.getByLabel('Note').fill('It is known to be right')
  await must(tenant, 'POST', '/rulesets/guard/rollouts', { version: 1, environment: 'production' })
  await ask.getByRole('button', { name: 'Enforce now' }).click()
  await ask.getByText('version 1 is live').waitFor(patiently)
  await ask.getByRole('button', { name: 'Close' }).last().click()

  await must(tenant, 'POST', '/rulesets/guard/trials', { version: 2, environment: 'production', minutes: 60 })
  await observing.getByText('none is allowed').waitFor(patiently)
  await observing.getByRole('button', { name: 'Enforce now' }).click()
  await ask.getByLabel('Type production').fill('production')
  await ask.getByRole('button', { name: 'Enforce now' }).click()
  await observing.getByRole('gridcell', { name: /v2 ?enforcing/ }).waitFor(patiently)

  await must(tenant, 'POST', '/rulesets', { yaml: yaml('guard', ['old', 'other']) })
  await must(tenant, 'POST', '/rulesets/guard/trials', { version: 4, environment: 'staging', minutes: 60 })
  await observing.getByRole('button', { name: 'Abandon' }).click(patiently)
  const abandon = page.getByRole('dialog', { name: 'Abandon the trial of guard v4' })
  await abandon.getByText('nothing enforces by itself any more').waitFor()
  await abandon.getByRole('button', { name: 'Abandon' }).click()
  await observing.getByRole('gridcell', { name: /v4 ?abandoned/ }).waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  expect(faults).toEqual([])
})

test('who may not roll out to a protected environment is told so, and finds no button that would', async () => {
  const tenant = await scene.server.newTenant()
  await rollOutYaml(scene.server, tenant, yaml('guard', ['old']))
  await must(tenant, 'POST', '/rulesets', { yaml: yaml('guard', ['old', 'fresh']) })
  const deployer = await scene.server.newPerson(tenant, [{ role: 'deployer', environment: null }])
  const { page, faults, open } = await scene.newPage(deployer)
  await open('/rulesets/guard?tab=rollouts')
  await page.getByRole('button', { name: 'Roll out v2 to staging' }).waitFor(patiently)
  expect(await page.getByRole('button', { name: 'Roll out v2 to production' }).count()).toBe(0)
  await open('/rulesets/guard?tab=rollouts&review=2&into=production')
  await page.getByText('None of your roles lets you roll out in production').waitFor(patiently)
  expect(await page.getByRole('form').count()).toBe(0)
  const refused = await scene.server.call('POST', '/api/v2/rulesets/guard/trials', {
    cookie: deployer.cookie,
    body: { version: 2, environment: 'production', minutes: 5 },
  })
  expect(refused.status, refused.text).toBe(403)
  expect(faults).toEqual([])
})

test('a baseline of an environment is chosen, its effect is seen before it is confirmed, and it is taken away again', async () => {
  const tenant = await scene.server.newTenant()
  await must(tenant, 'POST', '/rulesets', { yaml: yaml('base', ['never']) })
  await must(tenant, 'POST', '/rulesets', { yaml: yaml('clash', ['pay']) })
  await rollOutYaml(scene.server, tenant, yaml('payments', ['pay']))
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/settings?tab=environments')
  await page.getByRole('button', { name: /: baselines of production/ }).click(patiently)
  const drawer = page.getByRole('dialog', { name: 'Baselines of production' })
  await drawer.getByText('Live there: payments.').waitFor(patiently)
  const add = async (name: string): Promise<void> => {
    await drawer.getByRole('combobox', { name: 'Add a ruleset' }).click()
    await page.getByRole('option', { name }).click()
  }
  await add('clash v1')
  await drawer.getByText('payments stands in the way').waitFor(patiently)
  expect(await drawer.getByRole('button', { name: /^Change them/ }).isDisabled()).toBe(true)
  expect(await accessFaults(page)).toEqual([])
  await drawer.getByRole('button', { name: 'Remove clash' }).click()
  await add('base v1')
  await drawer.getByText('1 live ruleset would be rolled out anew').waitFor(patiently)
  await drawer.locator('summary').filter({ hasText: 'payments' }).click()
  await drawer.getByText('1 rule added').waitFor()
  const save = drawer.getByRole('button', { name: 'Change them and roll out 1 ruleset' })
  expect(await save.isDisabled()).toBe(true)
  await drawer.getByLabel('Type production').fill('production')
  expect(await accessFaults(page)).toEqual([])
  await save.click()
  await drawer.getByText('Every live ruleset includes them: payments.').waitFor(patiently)

  // Another tab is slower than somebody else.
  await drawer.getByRole('button', { name: 'Remove base' }).click()
  await drawer.getByText('1 live ruleset would be rolled out anew').waitFor(patiently)
  await drawer.getByLabel('Type production').fill('production')
  await must(tenant, 'POST', '/rulesets', { yaml: yaml('base', ['never', 'ever']) })
  await drawer.getByRole('button', { name: 'Change them and roll out 1 ruleset' }).click()
  await drawer.getByText('None: every ruleset there is what its author wrote.').waitFor(patiently)
  await drawer.getByText('Live there: payments.').waitFor(patiently)
  expect(faults).toEqual([])
})

test('trials and baselines can be read by everybody and are never wider than the screen', async () => {
  const tenant = await scene.server.newTenant()
  await rollOutYaml(scene.server, tenant, rulesetYaml('guard'))
  await must(tenant, 'POST', '/rulesets', { yaml: yaml('guard', ['a-rule-with-quite-a-long-name', 'fresh']) })
  await must(tenant, 'POST', '/rulesets', { yaml: yaml('base', ['never']) })
  await must(tenant, 'POST', '/rulesets/guard/trials', { version: 2, environment: 'production', minutes: 600 })
  await must(tenant, 'PUT', '/environments/production/baselines', { baselines: [{ ruleset: 'base', version: 1 }] })
  const { page, faults, open } = await scene.newPage(tenant)
  await lookAt(
    { page, open },
    {
      paths: ['/rulesets/guard?tab=rollouts', '/settings?tab=environments&baselines=production'],
      isShown: () =>
        page
          .getByText(/would have been stopped|what its author wrote|includes them/)
          .first()
          .waitFor(patiently),
    },
  )
  expect(faults).toEqual([])
})
