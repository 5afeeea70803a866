import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { openStream } from '../../server/test/agent-stream.ts'
import { accessFaults, type ConsoleScene, lookAt, openConsole } from '../../server/test/console-scene.ts'
import { fetchRuleset, rollOutVersion, rollOutYaml, rulesetYaml } from '../../server/test/rulesets-scene.ts'
import type { TestTenant } from '../../server/test/server.ts'

let scene: ConsoleScene
beforeAll(async () => {
  scene = await openConsole()
})
afterEach(() => scene.closePages())
afterAll(() => scene.stop())

/** The machine may be busy; a page that is right is right at once. */
const patiently = { timeout: 30_000 }

const upload = async (tenant: TestTenant, yaml: string): Promise<number> => {
  const answer = await scene.server.call('POST', '/api/v1/bundles', {
    cookie: tenant.cookie,
    body: { yaml_content: yaml },
  })
  expect(answer.status, answer.text).toBe(201)
  return (answer.body as { version: number }).version
}

test('a ruleset is written with its mistakes shown at their line, saved with a note, and kept while one looks elsewhere', async () => {
  const tenant = await scene.server.newTenant()
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/rulesets')
  await page.getByRole('heading', { name: 'No ruleset yet' }).waitFor(patiently)
  await page.getByRole('button', { name: 'Write the first one' }).click()
  const text = page.getByRole('textbox', { name: 'New ruleset' })
  await text.waitFor(patiently)
  await page.getByText('Valid: 2 rules').waitFor(patiently)

  await text.focus()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('    mode: enforc')
  await page.getByRole('button', { name: /Error, line \d+/ }).waitFor(patiently)
  expect(await page.getByRole('button', { name: 'Save revision' }).isDisabled()).toBe(true)
  expect(await accessFaults(page)).toEqual([])
  await page.keyboard.type('e')
  await page.getByText('Valid: 2 rules').waitFor(patiently)

  // Elsewhere and back: the text is still there.
  await page.getByRole('link', { name: 'Keys', exact: true }).click()
  await page.getByRole('heading', { name: 'Keys', level: 1 }).waitFor(patiently)
  await page.goBack()
  await page.getByText('mode: enforce').nth(1).waitFor(patiently)

  // The second half of a double press does not close what the first opened.
  await page.getByRole('button', { name: 'Save revision' }).dblclick(patiently)
  await page.getByLabel('Note').fill('The first one')
  await page.getByRole('button', { name: 'Save v1' }).click()
  await page.getByRole('heading', { name: 'my-ruleset', level: 1 }).waitFor(patiently)
  await page.getByText('The same text as v1 of my-ruleset').waitFor(patiently)
  await page.getByRole('tab', { name: 'Revisions' }).click()
  await page.getByRole('gridcell', { name: 'The first one' }).waitFor(patiently)
  expect(faults).toEqual([])
})

test('a file takes the place of the text, and nothing that was found in the text before is said of it', async () => {
  const tenant = await scene.server.newTenant()
  await upload(tenant, rulesetYaml('guard', 'the first'))
  const { page, open } = await scene.newPage(tenant)
  await open('/rulesets/guard?tab=editor')
  const outline = page.getByRole('complementary', { name: 'Outline' })
  await outline.getByRole('region', { name: 'Rules' }).waitFor(patiently)
  const buffer = Buffer.from('apiVersion: [')
  await page.getByLabel('Ruleset file').setInputFiles({ name: 'broken.yaml', mimeType: 'text/yaml', buffer })
  await outline.getByRole('region', { name: 'Findings' }).waitFor(patiently)
  expect(await outline.getByRole('region', { name: 'Rules' }).count()).toBe(0)
  await page.getByRole('button', { name: 'Undo' }).click()
  await outline.getByRole('region', { name: 'Rules' }).waitFor(patiently)
  expect(await outline.getByRole('region', { name: 'Findings' }).count()).toBe(0)
})

test('a rollout to production is reviewed, typed, and followed until its agent runs it; the way back takes a reason', async () => {
  const tenant = await scene.server.newTenant()
  const { key } = await scene.server.newKey(tenant, 'production')
  await rollOutYaml(scene.server, tenant, rulesetYaml('guard', 'the first'))
  await upload(tenant, rulesetYaml('guard', 'the second').replace('contains: .env', 'contains: secret'))
  const agent = await openStream(scene.server.url, '/v1/stream?env=production&bundle_name=guard', {
    key,
    agent: 'agent-1',
  })
  expect(agent.status).toBe(200)

  const { page, faults, open } = await scene.newPage(tenant)
  await open('/rulesets/guard')
  await page.getByRole('button', { name: 'Roll out v2' }).click(patiently)
  // Nobody rolls out to production by not looking: where to must be chosen.
  await page.getByText('Choose an environment').waitFor(patiently)
  await page.getByRole('combobox', { name: 'Environment' }).click()
  await page.getByRole('option', { name: 'production' }).click()
  await page.getByText('production: v1 → v2').waitFor(patiently)
  await page.getByText('secret').first().waitFor()
  const confirm = page.getByRole('form', { name: 'Confirm the rollout' })
  await page.getByRole('region', { name: 'Whom it reaches' }).getByText('agent-1').waitFor()
  const go = confirm.getByRole('button', { name: 'Roll out v2 to production' })
  expect(await go.isDisabled()).toBe(true)
  await confirm.getByLabel('Type production').fill('productio')
  expect(await go.isDisabled()).toBe(true)
  expect(await accessFaults(page)).toEqual([])
  await confirm.getByLabel('Note').fill('Secrets too')
  await confirm.getByLabel('Type production').fill('production')
  await page.keyboard.press('Enter')

  const drawer = page.getByRole('dialog', { name: 'v2 to production' })
  await drawer.getByText('0 of 1 run it so far.').waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  const fetched = await scene.server.call('GET', '/v1/rulesets/guard/current?env=production', { key, agent: 'agent-1' })
  expect(fetched.status, fetched.text).toBe(200)
  const event = {
    call_id: 'call-1',
    agent_id: 'agent-1',
    tool_name: 'read_file',
    tool_args: {},
    action: 'call_allowed',
    mode: 'enforce',
    timestamp: new Date().toISOString(),
    policy_version: (fetched.body as { revision_hash: string }).revision_hash,
  }
  await scene.server.call('POST', '/v1/events', { key, agent: 'agent-1', body: { events: [event] } })
  await drawer.getByText('Its one agent runs it.').waitFor(patiently)
  await page.keyboard.press('Escape')

  await page.getByRole('button', { name: 'Roll back to v1 in production' }).click(patiently)
  const back = page.getByRole('dialog', { name: 'Roll production back to v1' })
  await back.getByRole('button', { name: 'Roll back to v1' }).click()
  await back.getByText('Say why').waitFor(patiently)
  // Pressed beside it, it stays with what is typed.
  await page.mouse.click(5, 5)
  await back.getByLabel('Reason').fill('Secrets are fine')
  await back.getByRole('button', { name: 'Roll back to v1' }).click()
  const second = page.getByRole('dialog', { name: 'v1 to production' })
  await second.getByText('Secrets are fine').waitFor(patiently)
  agent.close()
  expect(faults).toEqual([])
})

test('during a rollout the overview counts who was sent it and does not run it yet', async () => {
  const tenant = await scene.server.newTenant()
  const { key } = await scene.server.newKey(tenant, 'production')
  await rollOutYaml(scene.server, tenant, rulesetYaml('guard', 'the first'))
  const agent = await openStream(scene.server.url, '/v1/stream?env=production&bundle_name=guard', {
    key,
    agent: 'agent-1',
  })
  let calls = 0
  const runIt = async (): Promise<void> => {
    const { revision_hash } = await fetchRuleset(
      scene.server,
      key,
      '/v1/rulesets/guard/current?env=production',
      'agent-1',
    )
    calls += 1
    const event = {
      call_id: `call-${calls}`,
      agent_id: 'agent-1',
      tool_name: 'read_file',
      tool_args: {},
      action: 'call_allowed',
      mode: 'enforce',
      timestamp: new Date().toISOString(),
      policy_version: revision_hash,
    }
    const answer = await scene.server.call('POST', '/v1/events', { key, agent: 'agent-1', body: { events: [event] } })
    expect(answer.status, answer.text).toBe(200)
  }
  await runIt()
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/')
  const line = (word: string) => page.getByRole('listitem').filter({ hasText: word })
  await line('Current').getByText('1', { exact: true }).waitFor(patiently)
  await line('Updating').getByText('0', { exact: true }).waitFor(patiently)
  await rollOutYaml(scene.server, tenant, rulesetYaml('guard', 'the second'))
  await line('Updating').getByText('1', { exact: true }).waitFor(patiently)
  await line('Current').getByText('0', { exact: true }).waitFor(patiently)
  await page.getByText('rolled out guard v2 to production').waitFor(patiently)
  await runIt()
  // What an agent runs is read again as the page is looked at again.
  await page.reload()
  await line('Current').getByText('1', { exact: true }).waitFor(patiently)
  await line('Updating').getByText('0', { exact: true }).waitFor(patiently)
  agent.close()
  expect(faults).toEqual([])
})

test('two revisions are compared in words and as text, and the address shows a colleague the same', async () => {
  const tenant = await scene.server.newTenant()
  await upload(tenant, rulesetYaml('guard'))
  await upload(tenant, rulesetYaml('guard').replace('contains: .env', 'contains: secret'))
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/rulesets/guard?tab=revisions')
  await page.getByRole('row', { name: /v1/ }).getByRole('checkbox').check(patiently)
  await page.getByRole('row', { name: /v2/ }).getByRole('checkbox').check()
  await page.getByRole('button', { name: 'Compare', exact: true }).click()
  await page.getByText('1 rule changed').waitFor(patiently)
  expect(await page.locator('ins').first().textContent()).toContain('secret')
  await page.getByText('YAML', { exact: true }).click()
  await page.getByRole('textbox', { name: 'v2' }).waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])

  const { page: other, open: openOther } = await scene.newPage(tenant)
  await openOther(new URL(page.url()).pathname + new URL(page.url()).search)
  await other.getByText('1 rule changed').waitFor(patiently)
  expect(faults).toEqual([])
})

test('an assignment rule shows whom it would move before it is saved, and why an agent gets what it gets', async () => {
  const tenant = await scene.server.newTenant()
  const { key } = await scene.server.newKey(tenant, 'production')
  const { version } = await rollOutYaml(scene.server, tenant, rulesetYaml('guard'))
  await rollOutYaml(scene.server, tenant, rulesetYaml('other'))
  await rollOutVersion(scene.server, tenant, 'guard', version, 'staging')
  const agent = await openStream(scene.server.url, '/v1/stream?env=production&bundle_name=guard', {
    key,
    agent: 'build-7',
  })
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/assignments')
  await page.getByRole('heading', { name: 'No rule yet' }).waitFor(patiently)
  await page.getByRole('button', { name: 'Add a rule' }).first().click()
  const drawer = page.getByRole('dialog', { name: 'Add a rule' })
  await drawer.getByRole('textbox', { name: 'Agents' }).fill('build-*')
  await drawer.getByRole('combobox', { name: 'Environment' }).click()
  await page.getByRole('option', { name: 'production' }).click()
  await drawer.getByRole('combobox', { name: 'Ruleset' }).click()
  await page.getByRole('option', { name: 'other' }).click()
  await drawer.getByText('1 agent would change its ruleset').waitFor(patiently)
  await drawer.getByText('build-7').waitFor()
  expect(await accessFaults(page)).toEqual([])
  await drawer.getByRole('button', { name: 'Add the rule' }).click()
  await page.getByRole('gridcell', { name: 'build-*' }).waitFor(patiently)

  await page.getByRole('tab', { name: 'Why does it get this?' }).click()
  await page.getByRole('combobox', { name: 'Agent' }).fill('build-7')
  await page.keyboard.press('Enter')
  await page.getByText('matches: other').waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  agent.close()
  expect(faults).toEqual([])
})

test('every page of rules can be read by everybody and is never wider than the screen', async () => {
  const tenant = await scene.server.newTenant()
  const { version } = await rollOutYaml(scene.server, tenant, rulesetYaml('guard'))
  await rollOutVersion(scene.server, tenant, 'guard', version, 'staging')
  const { page, faults, open } = await scene.newPage(tenant)
  await lookAt(
    { page, open },
    {
      paths: [
        '/rulesets',
        '/rulesets/guard',
        '/rulesets/guard?tab=revisions',
        '/rulesets/guard?tab=revisions&revision=1',
        '/rulesets/guard?tab=rollouts',
        '/rulesets/guard?tab=rollouts&review=1&into=development',
        '/rulesets/guard?tab=agents',
        '/assignments',
        '/assignments?rule=new',
        '/assignments?tab=named&assign=true',
        '/assignments?tab=why&agent=a1&in=staging',
      ],
    },
  )
  expect(faults).toEqual([])
})
