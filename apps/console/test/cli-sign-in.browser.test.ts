import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { accessFaults, type ConsoleScene, openConsole } from '../../server/test/console-scene.ts'
import type { TestTenant } from '../../server/test/server.ts'

let scene: ConsoleScene
let acme: TestTenant

const providers = [
  { name: 'acme', title: 'Acme SSO', issuer: 'http://127.0.0.1:9', client_id: 'c', client_secret: 's' },
]

beforeAll(async () => {
  scene = await openConsole({ environment: { COUNTERSIGN_OIDC_PROVIDERS: JSON.stringify(providers) } })
  acme = await scene.server.newTenant('acme')
})

afterEach(() => scene.closePages())
afterAll(() => scene.stop())

type Begun = { readonly auth_url: string; readonly state: string; readonly code_verifier: string }

const begin = async () => {
  const begun = (await scene.server.call('POST', '/api/v1/auth/cli/start')).body as Begun
  const { pathname, search } = new URL(begun.auth_url)
  const complete = () =>
    scene.server.call('POST', '/api/v1/auth/cli/complete', {
      body: { state: begun.state, code_verifier: begun.code_verifier },
    })
  return { path: pathname + search, code: new URL(begun.auth_url).searchParams.get('code') ?? '', complete }
}

test('somebody who follows a command line’s link signs in, compares the code, lets it in, and it goes on', async () => {
  const { path, code, complete } = await begin()
  const { page, faults, open } = await scene.newPage()
  await open(path)
  await page.getByLabel('Email').fill(acme.email)
  await page.getByLabel('Password', { exact: true }).fill(scene.server.password)
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByRole('heading', { name: 'Let this command line in?' }).waitFor()
  expect(await page.getByLabel('Code').innerText()).toBe(code)
  expect(await accessFaults(page)).toEqual([])
  expect((await complete()).status).toBe(202)
  await page.getByRole('button', { name: 'Let it in' }).click()
  await page.getByRole('heading', { name: 'Signed in' }).waitFor()
  expect(await complete()).toMatchObject({ status: 200, body: { email: acme.email } })
  expect(faults).toEqual([])
})

test('it can be turned away, a code can be typed, and one that nobody waits with is told so', async () => {
  const { code, complete } = await begin()
  const { page, open } = await scene.newPage(acme)
  await open('/cli?code=BBBB-BBBB')
  await page.getByRole('heading', { name: 'No command line waits with this code' }).waitFor()
  await page.getByRole('button', { name: 'Type another code' }).click()
  await page.getByLabel('Code').fill(code.toLowerCase())
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByRole('button', { name: 'Turn it away' }).click()
  await page.getByRole('heading', { name: 'Turned away' }).waitFor()
  expect((await complete()).status).toBe(401)
})

test('the sign-in page offers the providers there are, and says why one did not let somebody in', async () => {
  const { page, faults, open } = await scene.newPage()
  await open('/sign-in?error=unknown')
  await page.getByText('Ask an administrator to invite you').waitFor()
  const button = page.getByRole('link', { name: 'Sign in with Acme SSO' })
  expect(await button.getAttribute('href')).toBe('/api/v2/sign-in/acme')
  expect(await accessFaults(page)).toEqual([])
  await button.click()
  // Nobody listens at that provider's address.
  await page.getByText('did not answer as it should').waitFor()
  expect(faults).toEqual([])
})
