import { brotliCompressSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { accessFaults, type ConsoleScene, lookAt, openConsole } from '../../server/test/console-scene.ts'
import type { TestTenant } from '../../server/test/server.ts'
import { go } from './go.ts'

let scene: ConsoleScene
let tenant: TestTenant
beforeAll(async () => {
  scene = await openConsole()
  tenant = await scene.server.newTenant()
  await scene.server.newKey(tenant, 'production')
  await scene.server.newKey(tenant, 'staging', { label: 'ci runners' })
})
afterEach(() => scene.closePages())
afterAll(() => scene.stop())

const pages = [
  ['/', 'Overview'],
  ['/approvals', 'Approvals'],
  ['/trail', 'Trail'],
  ['/trail?entry=0', 'Trail'],
  ['/keys', 'Keys'],
  ['/keys?make=true', 'Keys'],
  ['/settings', 'Settings'],
  ['/settings?tab=environments', 'Settings'],
  ['/settings?tab=signing', 'Settings'],
  ['/account', 'Account & security'],
  ['/settings?tab=danger', 'Settings'],
  ['/no/such', 'No such page'],
] as const

test('every page can be read and used by everybody, breaks no policy and is never wider than the screen', async () => {
  const { page, faults, open } = await scene.newPage(tenant)
  await lookAt(
    { page, open },
    {
      paths: pages.map(([path]) => path),
      isShown: (path) => {
        const name = pages.find(([one]) => one === path)?.[1] ?? ''
        return page.getByRole('heading', { name, level: 1, includeHidden: true }).waitFor()
      },
    },
  )
  expect(faults).toEqual([])
}, 240_000)

test('the first signed-in page loads at most 250 KB of JavaScript', async () => {
  const { page, open } = await scene.newPage(tenant)
  const sizes: Promise<number>[] = []
  page.on('response', (response) => {
    const isScript = new URL(response.url()).pathname.endsWith('.js')
    if (isScript) sizes.push(response.body().then((body) => brotliCompressSync(body).length))
  })
  await open('/')
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  await page.waitForLoadState('networkidle').catch(() => undefined)
  expect(sizes.length).toBeGreaterThan(0)
  expect((await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(250_000)
})

test('a key is shown once, with a program that holds it, and revoking it asks for its name', async () => {
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/keys')
  await page.getByRole('button', { name: 'Make a key' }).click()
  await page.getByLabel('Label').fill('release bot')
  await page.keyboard.press('Enter')
  const key = await page.getByRole('dialog').locator('code').filter({ hasText: /^edk_/ }).first().textContent()
  expect(key).toMatch(/^edk_staging_.{20,}$/)
  await page.getByRole('tab', { name: 'Go' }).click()
  expect(await page.getByRole('region', { name: 'Go example' }).textContent()).toContain(key)
  // Neither a stray click nor Escape loses a key that cannot be shown again.
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'I have copied it' }).click()
  await page.getByRole('gridcell', { name: 'release bot' }).waitFor()
  expect(await page.content()).not.toContain(key)
  await page.reload()

  await page.getByRole('gridcell', { name: 'release bot' }).click()
  await page.getByRole('button', { name: 'Revoke the key' }).click()
  const dialog = page.getByRole('dialog', { name: 'Revoke release bot' })
  await dialog.getByText('It holds no stream open now.').waitFor()
  const revoke = dialog.getByRole('button', { name: 'Revoke the key' })
  expect(await revoke.isDisabled()).toBe(true)
  await dialog.getByLabel(/Type release bot/).fill('release bot')
  await revoke.click()
  await page.getByText('release bot was revoked').waitFor()
  const answer = await scene.server.call('GET', '/v1/rulesets/base/current', { key: key ?? '', agent: 'a1' })
  expect(answer.status).toBe(401)
  expect(faults).toEqual([])
})

test('everything can be reached without a mouse', async () => {
  const { page, open } = await scene.newPage(tenant)
  await open('/')
  await page.getByRole('heading', { name: 'Overview' }).waitFor()
  await go(page, 'k', 'Keys')
  await page.getByRole('grid', { name: 'Keys' }).getByRole('row').nth(1).focus()
  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: 'Search or go to' }).pressSequentially('rotate')
  await page.keyboard.press('Enter')
  await page.getByRole('tab', { name: 'Signing keys', selected: true }).waitFor()
  await page.keyboard.press('Tab')
  expect(await page.evaluate(() => document.activeElement !== document.body)).toBe(true)
})

test('a key that is asked for twice in one instant is made once', async () => {
  const { page, open } = await scene.newPage(tenant)
  await open('/keys?make=true')
  await page.getByRole('textbox', { name: 'Label' }).fill('pressed twice')
  let asked = 0
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/api/v2/keys')) asked += 1
  })
  await page.getByRole('button', { name: 'Make the key' }).dblclick()
  await page.getByText('It is shown once').waitFor()
  expect(asked).toBe(1)
})

test('where the answer to a write is lost, nobody claims that nothing was done, and what was written stays', async () => {
  const { page, open } = await scene.newPage(tenant)
  await open('/keys?make=true')
  const label = page.getByRole('textbox', { name: 'Label' })
  await label.fill('cut off')
  await page.route('**/api/v2/keys', async (route) => {
    if (route.request().method() !== 'POST') return route.continue()
    // Done, and never heard of.
    await route.fetch()
    return route.abort('connectionreset')
  })
  await page.getByRole('button', { name: 'Make the key' }).click()
  await page.getByText('it is not known whether this was done').waitFor()
  expect(await label.inputValue()).toBe('cut off')
  await page.keyboard.press('Escape')
  await page.getByRole('gridcell', { name: 'cut off' }).waitFor()
})

test('a setting says where it comes from, holds when it is changed, and can be undone', async () => {
  const { page, open } = await scene.newPage(tenant)
  await open('/settings')
  const days = page.getByRole('textbox', { name: 'Keep events for' })
  await days.fill('60')
  await days.press('Enter')
  await page.getByText('Set here.').waitFor()
  await page.getByRole('button', { name: 'Undo' }).click()
  await expect.poll(() => days.inputValue()).toBe('')
})

test('a setting is found by its words, and a link points at it', async () => {
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/settings')
  await page.getByRole('textbox', { name: 'Find a setting' }).fill('silent')
  await page.getByRole('heading', { name: 'Call an agent silent after' }).waitFor()
  await expect.poll(() => page.getByRole('heading', { name: 'Keep events for' }).count()).toBe(0)
  await page.getByRole('link', { name: /^fleet\./ }).click()
  await page.getByRole('heading', { name: 'Keep events for' }).waitFor()
  expect(new URL(page.url()).search).toContain('setting=')
  await page.getByRole('textbox', { name: 'Find a setting' }).fill('nothing is called so')
  await page.getByRole('button', { name: 'Clear the filters' }).click()
  await page.getByRole('heading', { name: 'Keep events for' }).waitFor()
  expect(await accessFaults(page)).toEqual([])
  expect(faults).toEqual([])
})

test('? lists every key that leads somewhere, and not while something is written', async () => {
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/keys')
  await page.getByRole('heading', { name: 'Keys', level: 1 }).waitFor()
  await page.keyboard.press('?')
  const help = page.getByRole('dialog', { name: 'Keyboard' })
  await help.getByRole('region', { name: 'Go to' }).getByText('Approvals').waitFor()
  expect(await accessFaults(page)).toEqual([])
  await page.keyboard.press('Escape')
  await help.waitFor({ state: 'detached' })
  await page.getByRole('textbox', { name: 'Find a key' }).pressSequentially('?')
  expect(await help.count()).toBe(0)
  expect(faults).toEqual([])
})

test('two tabs share one stream, and the second takes over when the first is closed', async () => {
  const { page, open } = await scene.newPage(tenant)
  const streams: string[] = []
  page.context().on('request', (request) => {
    if (request.url().endsWith('/api/v2/stream')) streams.push(request.url())
  })
  await open('/keys')
  await page.getByText('Live', { exact: true }).waitFor()
  const other = await page.context().newPage()
  await other.goto(`${scene.origin}/keys`)
  await other.getByText('Live', { exact: true }).waitFor()
  expect(streams).toHaveLength(1)
  await page.close()
  await expect.poll(() => streams.length).toBe(2)
  await scene.server.newKey(tenant, 'staging', { label: 'told to the second tab' })
  await other.getByRole('gridcell', { name: 'told to the second tab' }).waitFor()
})
