import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { accessFaults, type ConsoleScene, lookAt, openConsole, telephone } from '../../server/test/console-scene.ts'
import { fetchRuleset, rollOutYaml, rulesetYaml } from '../../server/test/rulesets-scene.ts'
import type { TestTenant } from '../../server/test/server.ts'

let scene: ConsoleScene
beforeAll(async () => {
  scene = await openConsole()
})
afterEach(() => scene.closePages())
afterAll(() => scene.stop())

/** The machine may be busy; a page that is right is right at once. */
const patiently = { timeout: 30_000 }

let calls = 0

/** A tenant whose one agent runs `guard` and has used two tools, one of which no rule is about. */
async function governed(): Promise<{ readonly tenant: TestTenant }> {
  const tenant = await scene.server.newTenant()
  const { key } = await scene.server.newKey(tenant, 'production')
  await rollOutYaml(scene.server, tenant, rulesetYaml('guard'))
  const { revision_hash } = await fetchRuleset(
    scene.server,
    key,
    '/v1/rulesets/guard/current?env=production',
    'agent-1',
  )
  const report = (tool_name: string, tool_args: object) => {
    calls += 1
    return {
      call_id: `call-${calls}`,
      agent_id: 'agent-1',
      tool_name,
      tool_args,
      action: 'call_allowed',
      mode: 'enforce',
      timestamp: new Date(Date.now() - 60_000).toISOString(),
      policy_version: revision_hash,
    }
  }
  const events = [
    report('read_file', { path: '/srv/secret.txt' }),
    report('read_file', { path: '/srv/secret.txt' }),
    report('read_file', { path: '/srv/readme.txt' }),
    report('list_files', { path: '/srv' }),
  ]
  const answer = await scene.server.call('POST', '/v1/events', { key, agent: 'agent-1', body: { events } })
  expect(answer.status, answer.text).toBe(200)
  return { tenant }
}

const upload = async (tenant: TestTenant, yaml: string): Promise<void> => {
  const answer = await scene.server.call('POST', '/api/v2/rulesets', { cookie: tenant.cookie, body: { yaml } })
  expect(answer.status, answer.text).toBe(201)
}

test('a recorded call is picked and judged, and the verdict follows the text and the call as they are typed', async () => {
  const { tenant } = await governed()
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/rehearse?ruleset=guard')
  const verdict = page.getByRole('region', { name: 'Verdict' })
  await verdict.getByText('Blocked', { exact: true }).waitFor(patiently)
  await page.getByRole('button', { name: 'Pick a recorded call' }).click()
  const calls = page.getByRole('grid', { name: 'Recorded calls' })
  await calls.getByText('read_file').first().waitFor(patiently)
  await page.getByRole('textbox', { name: 'Find a call' }).fill('secret')
  await expect.poll(() => calls.locator('[data-index]').count(), patiently).toBe(2)
  expect(await accessFaults(page)).toEqual([])
  await calls.locator('[data-index]').first().click()
  await verdict.getByText('Allowed', { exact: true }).waitFor(patiently)
  expect(await page.getByRole('textbox', { name: 'Arguments' }).inputValue()).toContain('/srv/secret.txt')
  await verdict.getByText('lets it pass').waitFor()

  // The text changes, and with it what would happen.
  const text = page.getByRole('textbox', { name: 'Text of guard' })
  await text.focus()
  await page.keyboard.press('Control+a')
  await page.keyboard.press('Delete')
  await page.keyboard.insertText(rulesetYaml('guard').replace('contains: .env', 'contains: secret'))
  await verdict.getByText('Blocked', { exact: true }).waitFor(patiently)
  await verdict.getByText('decides').waitFor()
  // And so does the call.
  await page.getByRole('textbox', { name: 'Tool' }).fill('write_file')
  await verdict.getByText('Allowed', { exact: true }).waitFor(patiently)
  await page.getByRole('textbox', { name: 'Arguments' }).fill('{ "path": ')
  await page.getByText('The arguments are not a JSON object.').waitFor(patiently)
  await verdict.getByText('Say which tool is called').waitFor()
  expect(await accessFaults(page)).toEqual([])
  // A mistake in the text is named with its line.
  await page.getByRole('textbox', { name: 'Arguments' }).fill('{}')
  await text.focus()
  await page.keyboard.press('Control+End')
  await page.keyboard.type('  - id: [')
  await verdict.getByText(/^Line \d+/).waitFor(patiently)
  expect(faults).toEqual([])
})

test('a revision is replayed before it is rolled out, and what would change is shown by kind, rule and call', async () => {
  const { tenant } = await governed()
  await upload(tenant, rulesetYaml('guard', 'the second').replace('contains: .env', 'contains: secret'))
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/rulesets/guard?tab=rollouts&review=2&into=production')
  const rehearsal = page.getByRole('region', { name: 'Rehearsal' })
  await rehearsal.getByText('was not held against recorded calls yet').waitFor(patiently)
  await rehearsal.getByRole('button', { name: 'Replay the last day of production' }).click()
  await rehearsal.getByText('2 newly blocked.').waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  await rehearsal.getByRole('link', { name: 'Look at the replay' }).click()
  await page.getByText('4 recorded calls, 3 of them different').waitFor(patiently)
  await page.getByRole('grid', { name: 'Changes by rule' }).getByText('no-env').waitFor()
  const samples = page.getByRole('grid', { name: 'Samples' })
  await samples.locator('[data-index]').first().click()
  const drawer = page.getByRole('dialog')
  await drawer.getByText('/srv/secret.txt').waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  await drawer.getByRole('link', { name: 'Try it on guard' }).click()
  await page.getByRole('region', { name: 'Verdict' }).getByText('Blocked', { exact: true }).waitFor(patiently)

  // The list has it, and another is started from there.
  await open('/rehearse?tab=replays')
  await page.getByRole('gridcell', { name: 'guard v2' }).waitFor(patiently)
  await page.getByRole('button', { name: 'New replay' }).click()
  const form = page.getByRole('dialog', { name: 'Replay recorded calls' })
  await form.getByRole('combobox', { name: 'Ruleset' }).click()
  await page.getByRole('option', { name: 'guard' }).click()
  await form.getByRole('combobox', { name: 'Text' }).click()
  await page.getByRole('option', { name: 'v1' }).click()
  expect(await accessFaults(page)).toEqual([])
  await form.getByRole('button', { name: 'Start the replay' }).click()
  await page.getByText('No recorded call would end differently.').waitFor(patiently)
  expect(faults).toEqual([])
})

test('a replay under way tells how far it is and is cancelled, and what it read so far shows nothing', async () => {
  const { tenant } = await governed()
  const { page, faults, open } = await scene.newPage(tenant)
  const answer = await scene.server.call('POST', '/api/v2/replays', {
    cookie: tenant.cookie,
    body: { ruleset: 'guard', version: 1, since: new Date(Date.now() - 3_600_000).toISOString() },
  })
  expect(answer.status, answer.text).toBe(201)
  const { id } = answer.body as { id: string }
  await open(`/rehearse?tab=replays&replay=${id}`)
  await page.getByText('No recorded call would end differently.').waitFor(patiently)
  // As if another replica ran it and were not through.
  const run = (lease: string) =>
    scene.server.db.query(
      `update replays as r set status = 'running', result = null, ended_at = null, rows_read = 2, rows_total = 8,
              runner_id = gen_random_uuid(), lease_until = now() + $3::interval where r.tenant_id = $1 and r.id = $2`,
      [tenant.tenant, id, lease],
    )
  await run('1 hour')
  await page.reload()
  await page.getByText('2 of 8 calls').waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  await page.getByRole('button', { name: 'Cancel', exact: true }).click()
  await page.getByText('Stopping').waitFor(patiently)
  // That replica is gone: its lease ends, and whoever takes it up finds that it is not wanted any more.
  await run('-1 minute')
  await page.getByText('It was cancelled after').waitFor(patiently)
  expect(faults).toEqual([])
})

test('a tool that no rule is about is one click from a draft with a rule for it', async () => {
  const { tenant } = await governed()
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/coverage')
  await page.getByText('1 of 1 agent has a tool that no rule is about').waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  await page.getByRole('tab', { name: /^Agents/ }).click()
  await page.getByRole('gridcell', { name: '1 of 2' }).waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  await page.getByRole('link', { name: 'agent-1' }).click()
  const tools = page.getByRole('grid', { name: 'Tools of agent-1' })
  await tools.getByText('Enforced').waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  await tools.getByRole('button', { name: 'Draft a rule' }).click()
  await page.getByRole('heading', { name: 'guard', level: 1 }).waitFor(patiently)
  await page.getByText('Valid: 2 rules').waitFor(patiently)
  await page.getByRole('textbox', { name: 'Text of guard' }).getByText('list_files').first().waitFor(patiently)
  // Nothing was saved.
  const kept = await scene.server.call('GET', '/api/v2/rulesets/guard', { cookie: tenant.cookie })
  expect(kept.body).toMatchObject({ revision_count: 1 })
  expect(faults).toEqual([])
})

test('on a telephone in the dark the pages of rehearsal are never wider than the screen', async () => {
  const { tenant } = await governed()
  const { page, faults, open } = await scene.newPage(tenant, telephone)
  await lookAt(
    { page, open },
    {
      at: [telephone],
      paths: [
        '/rehearse?ruleset=guard',
        '/rehearse?tab=replays',
        '/rehearse?tab=replays&start=true&ruleset=guard',
        '/rulesets/guard?tab=try',
        '/coverage',
        '/coverage?tab=agents',
      ],
    },
  )
  expect(faults).toEqual([])
})
