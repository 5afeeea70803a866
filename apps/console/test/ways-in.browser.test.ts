import { type Idp, startIdp } from '@countersign/idp-sim'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { makeLink } from '../../server/src/features/people/index.ts'
import { recoverAdministrator } from '../../server/src/features/recovery/index.ts'
import { recordAct } from '../../server/src/features/trail/index.ts'
import { systemClock } from '../../server/src/kernel/clock.ts'
import { makeKeyring } from '../../server/src/kernel/crypto.ts'
import { idMaker } from '../../server/src/kernel/ids.ts'
import { accessFaults, type ConsoleScene, openConsole } from '../../server/test/console-scene.ts'
import { freePort } from '../../server/test/free-port.ts'
import type { TestTenant } from '../../server/test/server.ts'

const client = { id: 'countersign', secret: 'a secret between us and the provider' }
/** The machine may be busy; a page that is right is right at once. */
const patiently = { timeout: 30_000 }
const roles = [{ role: 'viewer', environment: null }]
let idp: Idp
let scene: ConsoleScene
let acme: TestTenant

beforeAll(async () => {
  const port = await freePort()
  const provider = {
    name: 'acme',
    title: 'Acme SSO',
    issuer: `http://127.0.0.1:${port}`,
    client_id: client.id,
    client_secret: client.secret,
  }
  scene = await openConsole({
    withPasskeys: true,
    environment: { COUNTERSIGN_OIDC_PROVIDERS: JSON.stringify([provider]) },
  })
  acme = await scene.server.newTenant('acme')
  const people = ['Acme', 'Kim', 'Robin', 'Sam']
  idp = await startIdp({
    port,
    client: { ...client, redirectUris: [`${scene.origin}/api/v2/sign-in/acme/callback`] },
    accounts: people.map((name) => ({ sub: name, name, email: `${name.toLowerCase()}@example.com` })),
  })
})
afterEach(() => scene.closePages())
afterAll(async () => {
  await scene.stop()
  await idp.stop()
})

/** Where the link of an invitation leads. */
async function invite(name: string): Promise<string> {
  const body = { email: `${name.toLowerCase()}@example.com`, roles }
  const answer = await scene.server.call('POST', '/api/v2/people', { cookie: acme.cookie, body })
  const { pathname, hash } = new URL((answer.body as { link: string }).link)
  return pathname + hash
}

test('an invitation is taken up at the identity provider as well, by a button on its page, and its link is spent then', async () => {
  const link = await invite('Kim')
  const { page, faults, open } = await scene.newPage()
  await open(link)
  await page.getByRole('heading', { name: 'Join acme' }).waitFor(patiently)
  const button = page.getByRole('link', { name: 'Sign in with Acme SSO' })
  await button.waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  await button.click()
  await page.getByRole('link', { name: 'Kim', exact: true }).click(patiently)
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor(patiently)
  expect(page.url()).not.toContain(link.split('#')[1])
  expect(faults).toEqual([])

  // Whoever finds the link later does not become Kim.
  const later = await scene.newPage()
  await later.open(link)
  await later.page.getByRole('heading', { name: 'This link does not work' }).waitFor(patiently)
})

test('the address the provider vouches for decides, not the link: somebody else is not let in by it', async () => {
  const link = await invite('Robin')
  const { page, open } = await scene.newPage()
  await open(link)
  await page.getByRole('link', { name: 'Sign in with Acme SSO' }).click(patiently)
  await page.getByRole('link', { name: 'Sam', exact: true }).click(patiently)
  await page.getByText('Nobody here has this address.').waitFor(patiently)
  expect(new URL(page.url()).pathname).toBe('/sign-in')
})

test('where passwords are switched off the page of an invitation leads to the provider alone', async () => {
  const admin = await scene.newPage()
  await admin.open('/sign-in')
  await admin.page.getByRole('link', { name: 'Sign in with Acme SSO' }).click(patiently)
  await admin.page.getByRole('link', { name: 'Acme', exact: true }).click(patiently)
  await admin.page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor(patiently)
  const off = { cookie: acme.cookie, body: { value: false } }
  expect((await scene.server.call('PUT', '/api/v2/settings/sign_in.password', off)).status).toBe(200)

  const link = await invite('Sam')
  const { page, faults, open } = await scene.newPage()
  await open(link)
  await page.getByRole('heading', { name: 'Sign in with your identity provider' }).waitFor(patiently)
  expect(await page.getByLabel('Password').count()).toBe(0)
  expect(await accessFaults(page)).toEqual([])
  await page.getByRole('link', { name: 'Sign in with Acme SSO' }).click(patiently)
  await page.getByRole('link', { name: 'Sam', exact: true }).click(patiently)
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor(patiently)
  expect(faults).toEqual([])
})

test('a recovery link lets an administrator in where passwords are off, and every administrator is told until they take note', async () => {
  const clock = systemClock()
  const newId = idMaker(clock.now)
  const keyring = makeKeyring(['a secret of the tests that is long enough'])
  const recover = recoverAdministrator({
    db: scene.server.db,
    clock,
    makeLink: makeLink({ clock, newId, keyring, baseUrl: scene.origin }),
    recordAct: recordAct({ clock, newId, keyring: makeKeyring(['5'.repeat(64)]) }),
  })
  const { link } = await recover(acme.email, 'operator')
  const { pathname, hash } = new URL(link)
  const { page, faults, open } = await scene.newPage()
  await open(pathname + hash)
  await page.getByRole('heading', { name: 'Get back in' }).waitFor(patiently)
  await page.getByText('Passwords are switched off here, and stay so').waitFor(patiently)
  await page.getByLabel('Password', { exact: true }).fill('four random words do well')
  await page.getByLabel('Password again', { exact: true }).fill('four random words do well')
  expect(await accessFaults(page)).toEqual([])
  await page.getByRole('button', { name: 'Set the password and sign in' }).click()
  await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor(patiently)
  await page.getByText(`A recovery link was made for ${acme.email}`).waitFor(patiently)
  await page.getByText(`${acme.email} got in with a recovery link`).waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  for (let left = 2; left > 0; left -= 1) {
    await page.getByRole('button', { name: 'I know of it' }).first().click(patiently)
    await expect.poll(() => page.getByRole('button', { name: 'I know of it' }).count(), patiently).toBe(left - 1)
  }
  expect(faults).toEqual([])
})
