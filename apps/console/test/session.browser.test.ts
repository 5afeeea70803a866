import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { testClock } from '../../server/src/kernel/clock.ts'
import { accessFaults, type ConsoleScene, openConsole } from '../../server/test/console-scene.ts'
import { go } from './go.ts'

const clock = testClock(new Date().toISOString())

let scene: ConsoleScene
beforeAll(async () => {
  scene = await openConsole({ clock })
})
afterEach(() => scene.closePages())
afterAll(() => scene.stop())

/** The machine may be busy; a page that is right is right at once. */
const patiently = { timeout: 30_000 }
const minutes = 60_000

test('a minute before an unused session ends the page asks; an answer keeps it, silence leads to the sign-in page', async () => {
  const tenant = await scene.server.newTenant()
  const { page, faults, open } = await scene.newPage(tenant)
  await page.clock.install({ time: clock.now() })
  const later = async (milliseconds: number): Promise<void> => {
    await clock.jumpBy(milliseconds)
    await page.clock.fastForward(milliseconds)
  }
  await open('/keys')
  await page.getByRole('heading', { name: 'Keys' }).waitFor(patiently)
  await go(page, 't', 'Trail')
  const prompt = page.getByRole('dialog', { name: 'Still there?' })
  await later(27 * minutes)
  expect(await prompt.count()).toBe(0)
  await later(1.5 * minutes)
  await prompt.getByText(/ends in 0:\d\d/).waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  await page.keyboard.press('Enter')
  await prompt.waitFor({ state: 'detached', ...patiently })

  // Kept: what was unused for half an hour would have ended by now.
  await later(27 * minutes)
  expect(
    (
      await scene.server.call('GET', '/api/v2/session', {
        cookie: tenant.cookie,
        headers: { 'x-countersign-background': 'true' },
      })
    ).status,
  ).toBe(200)
  await later(1.5 * minutes)
  await prompt.waitFor(patiently)
  await later(3 * minutes)
  await page.getByText('Your session ended.').waitFor(patiently)
  expect(new URL(page.url()).searchParams.get('next')).toBe('/trail')
  expect(faults).toEqual([])
})

test('the page carries what scripts of older clients send back with a change; a page nobody signed in to carries none', async () => {
  const tenant = await scene.server.newTenant()
  const { page, open } = await scene.newPage(tenant)
  await open('/account')
  const rename = (path: string) =>
    page.evaluate(async (where) => {
      const token = document.querySelector<HTMLMetaElement>('meta[name="rgw-csrf-token"]')?.content ?? ''
      const headers = { 'content-type': 'application/json', 'x-csrf-token': token }
      const answer = await fetch(where, { method: 'PUT', headers, body: '{"name":"Ada"}' })
      return [answer.status, token.length]
    }, path)
  expect(await rename(`/api/v1/users/${tenant.email}/name`)).toEqual([200, 43])
  expect(await (await fetch(`${scene.origin}/sign-in`)).text()).not.toContain('rgw-csrf-token')
})

test('signing out everywhere else ends what is open elsewhere at once, and leaves this page signed in', async () => {
  const tenant = await scene.server.newTenant()
  const elsewhere = { ...tenant, cookie: await scene.server.signIn(tenant.email) }
  const { page: other, open: openOther } = await scene.newPage(elsewhere)
  await openOther('/keys')
  await other.getByText('Live', { exact: true }).waitFor(patiently)
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/account')
  await page.getByRole('button', { name: 'Sign out everywhere else' }).click(patiently)
  await page.getByText('Signed out everywhere else').waitFor(patiently)
  await other.getByText('Your session ended.').waitFor(patiently)
  await expect.poll(() => page.getByRole('button', { name: 'End' }).count(), patiently).toBe(0)
  await page.getByText('this one').waitFor(patiently)
  expect(faults).toEqual([])
})

test.each(['https://elsewhere.example/', '//elsewhere.example', '/\\elsewhere.example', 'javascript:alert(1)'])(
  'a link to the sign-in that wants to lead on to %s leads to the overview',
  async (next) => {
    const tenant = await scene.server.newTenant()
    const { page, open } = await scene.newPage(tenant)
    const left: string[] = []
    page.on('request', (request) => {
      if (!request.url().startsWith(scene.origin)) left.push(request.url())
    })
    await open(`/sign-in?${new URLSearchParams({ next })}`)
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor(patiently)
    expect(page.url()).toBe(`${scene.origin}/`)
    expect(left).toEqual([])
  },
)

test('what an address says wrongly or in older words is put right in it, however often it is loaded', async () => {
  const tenant = await scene.server.newTenant()
  const { page, open } = await scene.newPage(tenant)
  await open('/settings?tab=elsewhere')
  await page.getByRole('tab', { name: 'General', selected: true }).waitFor(patiently)
  await page.waitForURL(`${scene.origin}/settings`)
  await open('/events?q=lost&tool=shell')
  const once = `${scene.origin}/events?${new URLSearchParams({ filter: 'tool:shell lost' })}`
  await page.waitForURL(once)
  await page.reload()
  await page.getByRole('heading', { level: 1, name: 'Events' }).waitFor(patiently)
  expect(page.url()).toBe(once)
})

test('an address of what is not there says so, and offers nothing that cannot help', async () => {
  const tenant = await scene.server.newTenant()
  const { page, open } = await scene.newPage(tenant)
  const nobody = '00000000-0000-4000-8000-000000000000'
  const asked: string[] = []
  page.on('request', (request) => asked.push(new URL(request.url()).pathname))
  for (const path of [
    '/approvals/none',
    `/approvals/${nobody}`,
    '/people/none',
    '/rulesets/none',
    '/fleet/production/x',
    '/approvals/..%2Fkeys',
    '/rulesets/..%2Fkeys',
    '/people/..%2Fkeys',
  ]) {
    await open(path)
    const said = page.getByRole('alert').filter({ hasText: 'There is no such thing here' })
    await said.waitFor(patiently)
    expect(await said.getByRole('button').count(), path).toBe(0)
  }
  // What an address says in dots is never asked for in somebody's name.
  expect(asked.filter((path) => /^\/api\/v2\/(?:keys|rulesets\/)?$/.test(path))).toEqual([])
  for (const path of ['/keys?key=none', '/tokens?token=none', '/roles?open=none', '/assignments?rule=none']) {
    await open(path)
    const said = page.getByRole('status').filter({ hasText: /There is no \w+ none here/ })
    await said.waitFor(patiently)
    await said.getByRole('button', { name: 'All right' }).click()
    await said.waitFor({ state: 'detached', ...patiently })
    expect(new URL(page.url()).search).toBe('')
  }
})
