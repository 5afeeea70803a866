import type { Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type ConsoleScene, openConsole } from '../../server/test/console-scene.ts'
import type { TestTenant } from '../../server/test/server.ts'
import { go } from './go.ts'

// Nothing in this file clicks: each is a whole path as somebody walks it who has no mouse.

let scene: ConsoleScene
beforeAll(async () => {
  scene = await openConsole()
})
afterEach(() => scene.closePages())
afterAll(() => scene.stop())

/** The machine may be busy; a page that is right is right at once. */
const patiently = { timeout: 30_000 }

/** Tab after Tab until it has the focus; what cannot be reached that way fails. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor(patiently)
  for (let presses = 0; presses < 90; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`Tab does not lead to ${String(target)}`)
}

async function press(page: Page, target: Locator): Promise<void> {
  await tabTo(page, target)
  await page.keyboard.press('Enter')
}

const report = async (tenant: TestTenant, tools: readonly string[]): Promise<void> => {
  const { key } = await scene.server.newKey(tenant, 'production')
  const events = tools.map((tool) => ({
    call_id: `call-${tool}`,
    agent_id: 'agent-1',
    tool_name: tool,
    tool_args: { path: '/srv' },
    action: 'call_allowed',
    mode: 'enforce',
    timestamp: new Date().toISOString(),
  }))
  const answer = await scene.server.call('POST', '/v1/events', { key, agent: 'agent-1', body: { events } })
  expect(answer.status, answer.text).toBe(200)
}

test('from the sign-in page to an approved call', async () => {
  const tenant = await scene.server.newTenant()
  const { key } = await scene.server.newKey(tenant, 'production')
  const body = {
    agent_id: 'agent-1',
    tool_name: 'restart',
    tool_args: { name: 'shop' },
    message: 'Restart?',
    timeout: 600,
  }
  const asked = await scene.server.call('POST', '/v1/approvals', { key, agent: 'agent-1', body })
  const { id } = asked.body as { id: string }
  const { page, faults, open } = await scene.newPage()
  await open('/')
  await page.getByRole('heading', { name: 'Sign in' }).waitFor(patiently)
  await page.keyboard.type(tenant.email)
  await page.keyboard.press('Tab')
  await page.keyboard.type('correct horse battery staple')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Overview' }).waitFor(patiently)
  await go(page, 'a', 'Approvals')
  await page.getByRole('heading', { name: 'restart' }).waitFor(patiently)
  await page.keyboard.press('r')
  await page.keyboard.type('Agreed on the phone')
  await page.keyboard.press('Escape')
  await page.keyboard.press('a')
  await page.getByLabel('What became of it').getByText('Agreed on the phone').waitFor(patiently)
  const seen = await scene.server.call('GET', `/v1/approvals/${id}`, { key, agent: 'agent-1' })
  expect(seen.body).toMatchObject({ status: 'approved' })
  expect(faults).toEqual([])
})

test('from an empty list to a ruleset that is live', async () => {
  const tenant = await scene.server.newTenant()
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/')
  await page.getByRole('heading', { name: 'Overview' }).waitFor(patiently)
  await go(page, 'r', 'Rulesets')
  await press(page, page.getByRole('button', { name: 'Write the first one' }))
  const text = page.getByRole('textbox', { name: 'New ruleset' })
  await page.getByText('Valid: 2 rules').waitFor(patiently)
  await tabTo(page, text)
  await page.keyboard.press('Control+End')
  await page.keyboard.type('# Written without a mouse')
  await page.getByText('Valid: 2 rules').waitFor(patiently)
  // Escape lets Tab out of the editor.
  await page.keyboard.press('Escape')
  await page.keyboard.press('Shift+Tab')
  const save = page.getByRole('button', { name: 'Save revision' })
  await expect.poll(() => save.isEnabled(), patiently).toBe(true)
  for (let presses = 0; presses < 10; presses += 1) {
    if (await save.evaluate((element) => element === document.activeElement)) break
    await page.keyboard.press('Shift+Tab')
  }
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').getByLabel('Note').waitFor(patiently)
  await page.keyboard.type('The first one')
  await press(page, page.getByRole('button', { name: 'Save v1' }))
  await page.getByRole('heading', { name: 'my-ruleset', level: 1 }).waitFor(patiently)
  await press(page, page.getByRole('button', { name: 'Roll out v1' }))
  const where = page.getByRole('combobox', { name: 'Environment' })
  await tabTo(page, where)
  await page.keyboard.press('ArrowDown')
  const option = page.getByRole('option', { name: 'staging' })
  await option.waitFor(patiently)
  for (let presses = 0; presses < 6; presses += 1) {
    if ((await option.getAttribute('data-combobox-selected')) !== null) break
    await page.keyboard.press('ArrowDown')
  }
  await page.keyboard.press('Enter')
  await press(page, page.getByRole('button', { name: 'Roll out v1 to staging' }))
  await page.getByRole('dialog', { name: 'v1 to staging' }).waitFor(patiently)
  const live = await scene.server.call('GET', '/api/v2/rulesets/my-ruleset', { cookie: tenant.cookie })
  expect(live.body).toMatchObject({ live: [{ environment: 'staging', version: 1 }] })
  expect(faults).toEqual([])
})

test('one event among others is found and read', async () => {
  const tenant = await scene.server.newTenant()
  await report(tenant, ['hay_1', 'hay_2', 'needle', 'hay_3'])
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/')
  await page.getByRole('heading', { name: 'Overview' }).waitFor(patiently)
  await go(page, 'e', 'Events')
  const rows = page.getByRole('grid', { name: 'Events' }).locator('[data-index]')
  await expect.poll(() => rows.count(), patiently).toBe(4)
  await page.keyboard.press('/')
  await page.keyboard.type('tool:needle')
  await page.keyboard.press('Enter')
  await expect.poll(() => rows.count(), patiently).toBe(1)
  await press(page, rows.first())
  const drawer = page.getByRole('dialog')
  await drawer.getByText('call-needle').waitFor(patiently)
  await page.keyboard.press('Escape')
  await drawer.waitFor({ state: 'detached', ...patiently })
  expect(faults).toEqual([])
})

test('a key is made, copied and revoked', async () => {
  const tenant = await scene.server.newTenant()
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/')
  await page.getByRole('heading', { name: 'Overview' }).waitFor(patiently)
  await go(page, 'k', 'Keys')
  await press(page, page.getByRole('button', { name: 'Make a key' }).first())
  await page.getByRole('dialog').getByLabel('Label').waitFor(patiently)
  await page.keyboard.type('night watch')
  await page.keyboard.press('Enter')
  const shown = page.getByRole('dialog').locator('code').filter({ hasText: /^edk_/ }).first()
  await shown.waitFor(patiently)
  const key = (await shown.textContent()) ?? ''
  await press(page, page.getByRole('button', { name: 'I have copied it' }))
  const row = page.getByRole('row').filter({ hasText: 'night watch' })
  await press(page, row)
  await press(page, page.getByRole('button', { name: 'Revoke the key' }))
  const dialog = page.getByRole('dialog', { name: 'Revoke night watch' })
  await dialog.getByText('It holds no stream open now.').waitFor(patiently)
  await page.keyboard.type('night watch')
  await page.keyboard.press('Enter')
  await page.getByText('night watch was revoked').waitFor(patiently)
  expect((await scene.server.call('GET', '/v1/rulesets/base/current', { key, agent: 'a1' })).status).toBe(401)
  expect(faults).toEqual([])
})
