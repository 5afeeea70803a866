import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { openStream } from '../../server/test/agent-stream.ts'
import { accessFaults, type ConsoleScene, lookAt, openConsole } from '../../server/test/console-scene.ts'
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

const report = async (key: string, agent: string, hash: string): Promise<void> => {
  const event = {
    call_id: crypto.randomUUID(),
    agent_id: agent,
    tool_name: 'read_file',
    action: 'call_allowed',
    mode: 'enforce',
    timestamp: new Date().toISOString(),
    policy_version: hash,
  }
  const answer = await scene.server.call('POST', '/v1/events', { key, agent, body: { events: [event] } })
  expect(answer.status, answer.text).toBe(200)
}

/** Three agents: one connected that runs what is rolled out, one that reported another revision, one that only fetched. */
async function threeAgents(): Promise<{
  readonly tenant: TestTenant
  readonly key: string
  readonly close: () => void
}> {
  const tenant = await scene.server.newTenant()
  const { key } = await scene.server.newKey(tenant, 'production')
  await rollOutYaml(scene.server, tenant, rulesetYaml('guard'))
  const { revision_hash: hash } = await fetchRuleset(scene.server, key, '/v1/rulesets/guard/current', 'build-1')
  const stream = await openStream(scene.server.url, `/v1/stream?bundle_name=guard&policy_version=${hash}`, {
    key,
    agent: 'triage',
  })
  await report(key, 'deploy', 'f'.repeat(64))
  return { tenant, key, close: stream.close }
}

test('an empty fleet says when an agent appears and how to make a key, and the first one appears by itself', async () => {
  const tenant = await scene.server.newTenant()
  const { key } = await scene.server.newKey(tenant, 'production')
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/fleet')
  await page.getByRole('heading', { name: 'No agent yet' }).waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  const stream = await openStream(scene.server.url, '/v1/stream', { key, agent: 'first-one' })
  await page.getByRole('gridcell', { name: 'first-one' }).waitFor(patiently)
  await page.getByText('1 connected now').waitFor(patiently)
  stream.close()
  await page.getByText('0 connected now').waitFor(patiently)
  expect(faults).toEqual([])
})

test('the fleet is narrowed, put in order and read from the keyboard, and the address keeps all of it', async () => {
  const { tenant, close } = await threeAgents()
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/fleet')
  const grid = page.getByRole('grid', { name: 'Agents' })
  const names = async () => {
    const cells = await grid.locator('[data-index] [role=gridcell]:first-child').allInnerTexts()
    return cells.map((text) => text.trim())
  }
  await expect.poll(names, patiently).toEqual(['build-1', 'deploy', 'triage'])
  // The one event there is: its agent comes first, and those without any last, whichever way.
  const lastEvent = grid.getByRole('columnheader', { name: 'Last event' })
  for (const [sort, direction] of [
    ['-event', 'descending'],
    ['event', 'ascending'],
  ] as const) {
    await lastEvent.getByRole('button').press('Enter')
    await expect.poll(names, patiently).toEqual(['deploy', 'build-1', 'triage'])
    expect(await lastEvent.getAttribute('aria-sort')).toBe(direction)
    expect(new URL(page.url()).searchParams.get('sort')).toBe(sort)
  }
  await grid.getByRole('columnheader', { name: 'Agent', exact: true }).getByRole('button').press('Enter')
  await grid.getByRole('columnheader', { name: 'Agent', exact: true }).getByRole('button').press('Enter')
  await expect.poll(names, patiently).toEqual(['triage', 'deploy', 'build-1'])
  await page.getByRole('textbox', { name: 'Find an agent' }).fill('i')
  await expect.poll(names, patiently).toEqual(['triage', 'build-1'])
  await page
    .getByRole('group', { name: 'Agents by state' })
    .getByRole('button', { name: /Drifting/ })
    .press('Enter')
  await page.getByRole('button', { name: 'Clear the filters' }).waitFor(patiently)

  const address = page.url()
  const other = await scene.newPage(tenant)
  await other.page.goto(address)
  await other.page.getByRole('button', { name: 'Clear the filters' }).press('Enter')
  await expect
    .poll(() => other.page.getByRole('grid', { name: 'Agents' }).locator('[data-index]').count(), patiently)
    .toBe(3)
  close()
  expect([faults, other.faults]).toEqual([[], []])
})

test('an agent’s page tells what it runs and what became of it, and links to what it reported', async () => {
  const { tenant, close } = await threeAgents()
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/fleet')
  const row = page.getByRole('grid', { name: 'Agents' }).locator('[data-index]').filter({ hasText: 'deploy' })
  await row.focus()
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'deploy', level: 1 }).waitFor(patiently)
  await page.getByText('Runs revision ffffffff').waitFor(patiently)
  await page.getByRole('textbox', { name: 'Name' }).fill('Deploys at night')
  await page.getByRole('textbox', { name: 'Name' }).press('Enter')
  await page.getByText('deploy was changed').waitFor(patiently)

  await page.getByRole('link', { name: 'What it reported' }).press('Enter')
  await page.getByRole('heading', { name: 'Events', level: 1 }).waitFor(patiently)
  await expect.poll(() => page.getByRole('grid', { name: 'Events' }).locator('[data-index]').count(), patiently).toBe(1)
  expect(new URL(page.url()).searchParams.get('filter')).toBe('agent:deploy')
  await page.goBack()

  // What destroys asks for the name first.
  await page.getByRole('button', { name: 'Forget the agent' }).press('Enter')
  const dialog = page.getByRole('dialog', { name: 'Forget deploy' })
  const sure = dialog.getByRole('button', { name: 'Forget the agent' })
  await sure.waitFor(patiently)
  expect(await sure.isDisabled()).toBe(true)
  await dialog.getByRole('textbox').fill('deploy')
  await sure.press('Enter')
  await page.getByRole('heading', { name: 'Fleet', level: 1 }).waitFor(patiently)
  await expect.poll(() => page.getByRole('grid', { name: 'Agents' }).locator('[data-index]').count(), patiently).toBe(2)
  close()
  expect(faults).toEqual([])
})

test('the pages of the fleet can be read by everybody and are never wider than the screen', async () => {
  const { tenant, close } = await threeAgents()
  const { page, faults, open } = await scene.newPage(tenant)
  const paths = ['/fleet', '/fleet?status=silent', '/fleet/production/triage', '/fleet/production/nobody']
  await lookAt({ page, open }, { paths })
  close()
  expect(faults).toEqual([])
})
