import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { accessFaults, type ConsoleScene, openConsole } from '../../server/test/console-scene.ts'
import type { TestTenant } from '../../server/test/server.ts'

let scene: ConsoleScene
let tenant: TestTenant
beforeAll(async () => {
  scene = await openConsole()
  tenant = await scene.server.newTenant()
  const { key } = await scene.server.newKey(tenant, 'production')
  const event = { call_id: 'one', tool_name: 'shell', action: 'call_allowed', mode: 'enforce' }
  const body = { events: [{ ...event, agent_id: 'build-1', timestamp: new Date().toISOString() }] }
  expect((await scene.server.call('POST', '/v1/events', { key, agent: 'build-1', body })).status).toBe(200)
})
afterEach(() => scene.closePages())
afterAll(() => scene.stop())

const patiently = { timeout: 30_000 }

/** As while the server is being restarted: nothing that is asked for comes. Answers what brings it back. */
async function withoutServer(page: Page): Promise<() => Promise<void>> {
  await page.route('**/*', (route) => route.abort('connectionrefused'))
  return () => page.unroute('**/*')
}

const eventsLink = (page: Page) => page.getByRole('link', { name: 'Events', exact: true })

/** The page with everything in it, its styles included. */
async function expectEvents(page: Page): Promise<void> {
  await page.getByRole('gridcell', { name: 'shell' }).waitFor(patiently)
  const border = await page.evaluate<string>(`getComputedStyle(document.querySelector('fieldset')).borderTopWidth`)
  expect(border).toBe('0px')
}

test('a page that is opened while the server is away says so, and opens by itself once it is back', async () => {
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/keys')
  await page.getByRole('heading', { name: 'Keys', level: 1 }).waitFor(patiently)
  const bringBack = await withoutServer(page)
  await eventsLink(page).click()
  await page.getByRole('heading', { name: 'This page could not be loaded' }).waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  await bringBack()
  await expectEvents(page)
  expect(new URL(page.url()).pathname).toBe('/events')
  expect(faults.filter((fault) => !fault.includes('/assets/'))).toEqual([])
})

test('a page that was only pointed at while the server was away is whole when it is opened afterwards', async () => {
  const { page, open } = await scene.newPage(tenant)
  await open('/keys')
  await page.getByRole('heading', { name: 'Keys', level: 1 }).waitFor(patiently)
  const bringBack = await withoutServer(page)
  // Once a part is missing, the server is looked for.
  const looked = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/health/live'))
  await eventsLink(page).hover()
  await looked
  const answered = page.waitForResponse((response) => response.url().endsWith('/health/live') && response.ok())
  await bringBack()
  await answered
  await eventsLink(page).click()
  await expectEvents(page)
})

test('a page whose parts a newer server no longer has is opened from those it has now', async () => {
  const { page, open } = await scene.newPage(tenant)
  await open('/keys')
  await page.getByRole('heading', { name: 'Keys', level: 1 }).waitFor(patiently)
  let isOld = true
  await page.route('**/assets/events-page*', (route) => (isOld ? route.fulfill({ status: 404 }) : route.continue()))
  page.once('domcontentloaded', () => {
    isOld = false
  })
  await eventsLink(page).click()
  await expectEvents(page)
})

test('a part that is kept back for good is tried once more, and then said to be missing', async () => {
  const { page, open } = await scene.newPage(tenant)
  await open('/keys')
  await page.getByRole('heading', { name: 'Keys', level: 1 }).waitFor(patiently)
  let loads = 0
  page.on('domcontentloaded', () => {
    loads += 1
  })
  await page.route('**/assets/events-page*', (route) => route.fulfill({ status: 404 }))
  await eventsLink(page).click()
  await page.getByText('a part of it is still missing').waitFor(patiently)
  expect(loads).toBe(1)
  // Everything else goes on.
  await page.unroute('**/assets/events-page*')
  await eventsLink(page).click()
  await page.getByRole('link', { name: 'Keys', exact: true }).click()
  await page.getByRole('heading', { name: 'Keys', level: 1 }).waitFor(patiently)
  await eventsLink(page).click()
  await expectEvents(page)
})

test('after the server was away and came back newer, the next page is opened with the newer console, and what is open stays', async () => {
  const { page, open } = await scene.newPage(tenant)
  // The older server's stream ends; the newer server's console begins with another file.
  const ending = { status: 200, contentType: 'text/event-stream', body: ': \n\n' }
  await page.route('**/api/v2/stream', (route) => route.fulfill(ending), { times: 1 })
  await page.route(`${scene.origin}/`, async (route) => {
    const answer = await route.fetch()
    const body = (await answer.text()).replace(/assets\/index-[^"]+/, 'assets/index-new.js')
    await route.fulfill({ response: answer, body })
  })
  const looked = page.waitForResponse(`${scene.origin}/`)
  await open('/keys')
  await page.getByRole('textbox', { name: 'Find a key' }).fill('half a wor')
  let loads = 0
  page.on('domcontentloaded', () => {
    loads += 1
  })
  await (await looked).finished()
  await page.getByText('Live', { exact: true }).waitFor(patiently)
  expect(await page.getByRole('textbox', { name: 'Find a key' }).inputValue()).toBe('half a wor')
  expect(loads).toBe(0)
  await eventsLink(page).click()
  await expectEvents(page)
  expect(loads).toBe(1)
})

test('after the same server was away, pages go on being opened within the document', async () => {
  const { page, open } = await scene.newPage(tenant)
  const ending = { status: 200, contentType: 'text/event-stream', body: ': \n\n' }
  await page.route('**/api/v2/stream', (route) => route.fulfill(ending), { times: 1 })
  const looked = page.waitForResponse(`${scene.origin}/`)
  await open('/keys')
  let loads = 0
  page.on('domcontentloaded', () => {
    loads += 1
  })
  await (await looked).finished()
  await eventsLink(page).click()
  await expectEvents(page)
  await page.getByRole('link', { name: 'Keys', exact: true }).click()
  await page.getByRole('heading', { name: 'Keys', level: 1 }).waitFor(patiently)
  expect(loads).toBe(0)
})
