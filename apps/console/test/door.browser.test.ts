import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { accessFaults, type ConsoleScene, openConsole } from '../../server/test/console-scene.ts'

let scene: ConsoleScene
beforeAll(async () => {
  scene = await openConsole()
})
afterEach(() => scene.closePages())
afterAll(() => scene.stop())

const password = 'four random words do well'

test('the link of the first start leads through set-up into the console, once', async () => {
  const { page, faults, open } = await scene.newPage()
  await open('/')
  // With nobody in it yet, every way in leads to set-up.
  await page.getByRole('heading', { name: 'Set up this server' }).waitFor()
  await page.getByLabel('Set-up token').fill('not the token')
  await page.getByLabel('Your email').fill('first@example.com')
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByLabel('Password again').fill(`${password}!`)
  await page.getByRole('button', { name: 'Create the administrator' }).click()
  await page.getByText('The two passwords differ.').waitFor()
  await page.getByLabel('Password again').fill(password)
  await page.getByRole('button', { name: 'Create the administrator' }).click()
  await page.getByRole('alert').getByText('The current link is in the server’s start-up lines').waitFor()
  expect(await accessFaults(page)).toEqual([])

  await open(`/setup?token=${encodeURIComponent(scene.setupToken)}`)
  await page.getByLabel('Your email').fill('first@example.com')
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByLabel('Password again').fill(password)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Overview' }).waitFor()

  const { page: other, open: openOther } = await scene.newPage()
  await openOther(`/setup?token=${encodeURIComponent(scene.setupToken)}`)
  await other.getByRole('heading', { name: 'Sign in' }).waitFor()
  expect(faults).toEqual([])
})

test('signing in leads back to the page that was asked for, filters and all', async () => {
  const { page, faults, open } = await scene.newPage()
  await open('/keys?q=ci&environment=staging')
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  expect(await accessFaults(page)).toEqual([])
  await page.getByLabel('Email').fill('first@example.com')
  await page.keyboard.press('Tab')
  await page.keyboard.type('not the password at all')
  await page.keyboard.press('Enter')
  await page.getByRole('alert').waitFor()
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Keys' }).waitFor()
  expect(page.url()).toBe(`${scene.origin}/keys?q=ci&environment=staging`)
  expect(faults).toEqual([])
})

test('a session that is ended elsewhere leads to the sign-in page at once', async () => {
  const { page, open } = await scene.newPage()
  await open('/sign-in')
  await page.getByLabel('Email').fill('first@example.com')
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  await page.getByText('Live', { exact: true }).waitFor()

  const { page: other, open: openOther } = await scene.newPage()
  await openOther('/sign-in')
  await other.getByLabel('Email').fill('first@example.com')
  await other.getByLabel('Password', { exact: true }).fill(password)
  await other.keyboard.press('Enter')
  await other.getByRole('heading', { name: 'Overview' }).waitFor()
  await openOther('/account')
  await other.getByRole('button', { name: 'Sign out everywhere else' }).click()
  await other.getByText('Signed out everywhere else').waitFor()

  await page.getByText('Your session ended.').waitFor()
})

test('each page is sent with a policy that names a nonce of its own, which is in the page', async () => {
  const nonces = await Promise.all(
    [1, 2].map(async () => {
      const answer = await fetch(`${scene.origin}/sign-in`)
      const { headers } = answer
      const text = await answer.text()
      const policy = headers.get('content-security-policy') ?? ''
      for (const rule of ["default-src 'none'", "connect-src 'self'", "base-uri 'none'", "form-action 'self'"])
        expect(policy.split('; ')).toContain(rule)
      expect(policy).toContain("frame-ancestors 'none'")
      expect(policy).not.toMatch(/unsafe-|wss?:|\*/)
      const nonce = /'nonce-([\w-]{16,})'/.exec(policy)?.[1] ?? 'none'
      expect(text).toContain(nonce)
      return nonce
    }),
  )
  expect(new Set(nonces).size).toBe(2)
})
