import { readFile } from 'node:fs/promises'
import { verifyCountersignatures } from '@countersign/trail'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../server/src/kernel/clock.ts'
import { accessFaults, type ConsoleScene, openConsole } from '../../server/test/console-scene.ts'

const clock = systemClock()
let scene: ConsoleScene
beforeAll(async () => {
  scene = await openConsole({ clock, withPasskeys: true })
})
afterEach(() => scene.closePages())
afterAll(() => scene.stop())

/** The machine may be busy; a page that is right is right at once. */
const patiently = { timeout: 30_000 }

/** A security key in the browser, whose user is there and willing. */
async function withAuthenticator(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page)
  await session.send('WebAuthn.enable')
  await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
}

async function addPasskey(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Add a factor' }).click(patiently)
  await page.getByRole('button', { name: 'Passkey or security key' }).click(patiently)
  await page.getByLabel('Name').fill('Laptop')
  await page.getByRole('button', { name: 'Make the passkey' }).click()
  const codes = page.getByRole('list', { name: 'Backup codes' })
  await codes.waitFor(patiently)
  expect(await codes.getByRole('listitem').count()).toBe(10)
  await page.getByRole('button', { name: 'I have kept them' }).click()
  await page.getByRole('heading', { name: 'Laptop' }).waitFor(patiently)
}

test('a passkey is added, completes the next sign-in, and proves a sharp act that then goes on by itself', async () => {
  const tenant = await scene.server.newTenant()
  const { page, faults, open } = await scene.newPage(tenant)
  await withAuthenticator(page)
  await open('/account')
  await addPasskey(page)
  expect(await accessFaults(page)).toEqual([])

  await page.getByRole('button', { name: /account of/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.getByLabel('Email').fill(tenant.email, patiently)
  await page.getByLabel('Password', { exact: true }).fill(scene.server.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Confirm that it is you' }).waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])

  // Nothing is open before: an address typed by hand leads back here.
  await open('/keys')
  await page.getByRole('heading', { name: 'Confirm that it is you' }).waitFor(patiently)
  await page.getByRole('button', { name: 'Use a passkey' }).click(patiently)
  await page.getByRole('heading', { name: 'Keys' }).waitFor(patiently)

  clock.adjust(11 * 60_000)
  await open('/keys?make=true')
  await page.getByLabel('Label').fill('after the window', patiently)
  await page.getByRole('button', { name: 'Make the key' }).click()
  const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' })
  await dialog.getByRole('button', { name: 'Use a passkey' }).waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  // The keyboard is enough.
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: 'Copy the key now' }).waitFor(patiently)
  expect(faults).toEqual([])
})

test('a passkey alone signs in where its device knows whose it is, and nobody else gets in without one', async () => {
  clock.adjust(0)
  const tenant = await scene.server.newTenant()
  const { page, faults, open } = await scene.newPage(tenant)
  await withAuthenticator(page)
  await open('/account')
  await addPasskey(page)
  await page.getByRole('button', { name: /account of/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.getByLabel('Email').waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  await open('/keys')
  await page.getByRole('button', { name: 'Use a passkey' }).click(patiently)
  await page.getByRole('heading', { name: 'Keys' }).waitFor(patiently)
  expect(faults).toEqual([])

  const { page: stranger, open: openStrange } = await scene.newPage()
  await withAuthenticator(stranger)
  await openStrange('/sign-in')
  await stranger.getByRole('button', { name: 'Use a passkey' }).click(patiently)
  await stranger.getByText('No passkey was used').waitFor(patiently)
})

test('what is read while a new factor changes the session’s cookie is read again, and nobody is signed out', async () => {
  clock.adjust(0)
  const tenant = await scene.server.newTenant()
  const { page, faults, open } = await scene.newPage(tenant)
  await withAuthenticator(page)
  await open('/account')
  // Between the change at the server and the arrival of the new cookie, what the page reads is sent with the old one.
  let old: string | undefined
  let refusals = 0
  await page.route('**/api/v2/**', async (route) => {
    const request = route.request()
    if (request.method() === 'POST' && request.url().endsWith('/mfa/passkeys')) {
      const { cookie } = await request.allHeaders()
      const answer = await route.fetch()
      old = cookie
      await expect.poll(() => refusals, patiently).toBeGreaterThan(0)
      old = undefined
      await route.fulfill({ response: answer })
      return
    }
    if (old === undefined || request.method() !== 'GET' || request.url().endsWith('/stream')) {
      await route.continue()
      return
    }
    const answer = await route.fetch({ headers: { ...(await request.allHeaders()), cookie: old } })
    if (answer.status() === 401) refusals += 1
    await route.fulfill({ response: answer })
  })
  await addPasskey(page)
  expect(refusals).toBeGreaterThan(0)
  expect(faults).toEqual([])
})

test('an act whose proof is declined fails as the server said, and nothing was done', async () => {
  clock.adjust(0)
  const tenant = await scene.server.newTenant()
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/keys?make=true')
  await page.getByLabel('Label').fill('never made', patiently)
  clock.adjust(11 * 60_000)
  await page.getByRole('button', { name: 'Make the key' }).click()
  const dialog = page.getByRole('dialog', { name: 'Confirm that it is you' })
  await dialog.getByLabel('Password', { exact: true }).waitFor(patiently)
  await page.keyboard.press('Escape')
  await page.getByText('proved it is you').waitFor(patiently)
  await page.getByRole('button', { name: 'Make the key' }).click()
  await dialog.getByLabel('Password', { exact: true }).fill(scene.server.password, patiently)
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: 'Copy the key now' }).waitFor(patiently)
  expect(faults).toEqual([])
  clock.adjust(0)
})

test('somebody who must have a factor adds one before anything else opens', async () => {
  const tenant = await scene.server.newTenant()
  await scene.server.db.query(
    `insert into settings (tenant_id, name, value, changed_by, changed_at) values ($1, 'mfa.required', 'true', $2, now())`,
    [tenant.tenant, tenant.person],
  )
  const { page, faults, open } = await scene.newPage({ ...tenant, cookie: await scene.server.signIn(tenant.email) })
  await withAuthenticator(page)
  await open('/keys')
  await page.getByRole('heading', { name: 'Add a second factor' }).waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  await page.getByRole('button', { name: 'Passkey or security key' }).click()
  await page.getByRole('button', { name: 'Make the passkey' }).click(patiently)
  await page.getByRole('button', { name: 'I have kept them' }).click(patiently)
  await page.getByRole('heading', { name: 'Keys' }).waitFor(patiently)
  expect(faults).toEqual([])
})

test('a held call whose policy wants it is countersigned with a passkey, and the export verifies', async () => {
  const tenant = await scene.server.newTenant()
  const { key } = await scene.server.newKey(tenant)
  const policies = [{ rule: null, proof: 'countersignature', approvers: 1, excludes_owner: false }]
  const set = await scene.server.call('PUT', '/api/v2/environments/production/approval-policies', {
    cookie: tenant.cookie,
    body: { policies },
  })
  expect(set.status).toBe(200)
  await scene.server.call('POST', '/v1/approvals', {
    key,
    agent: 'bot',
    body: {
      agent_id: 'bot',
      tool_name: 'deploy',
      tool_args: { app: 'shop' },
      message: 'Deploy the shop?',
      timeout: 600,
    },
  })
  const { page, faults, open } = await scene.newPage(tenant)
  await withAuthenticator(page)
  await open('/account')
  await addPasskey(page)
  await open('/approvals')
  await page.getByText('Deploy the shop?').first().click(patiently)
  await page.getByLabel('Reason').fill('reviewed with the shop team', patiently)
  await page.getByRole('button', { name: 'Approve' }).last().click()
  const dialog = page.getByRole('dialog', { name: 'Countersign: approve' })
  await dialog.getByText('reviewed with the shop team').first().waitFor(patiently)
  await dialog.getByText('What is signed, as data').click()
  expect(JSON.parse((await dialog.getByLabel('What is signed').textContent()) ?? '')).toMatchObject({
    decision: 'approve',
    approval: { tool: 'deploy', environment: 'production', args: { app: 'shop' } },
  })
  expect(await accessFaults(page)).toEqual([])
  await dialog.getByRole('button', { name: 'Sign and approve' }).click()
  await page.getByText('countersigned with a passkey').waitFor(patiently)

  const download = page.waitForEvent('download', patiently)
  await page.getByRole('link', { name: 'Export signatures only' }).click()
  const text = await readFile(await (await download).path(), 'utf8')
  const { countersignatures } = JSON.parse(text) as { countersignatures: { registration: { public_key: string } }[] }
  const keys = countersignatures.map(({ registration }) => registration.public_key)
  expect(verifyCountersignatures(text, { keys })).toMatchObject([{ decision: 'approve', decider: tenant.person }])
  expect(faults).toEqual([])
})
