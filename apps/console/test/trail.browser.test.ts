import { readFile } from 'node:fs/promises'
import { readVerifier, verifyEntryProof } from '@countersign/trail'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { accessFaults, type ConsoleScene, openConsole } from '../../server/test/console-scene.ts'

let scene: ConsoleScene
beforeAll(async () => {
  scene = await openConsole()
})
afterEach(() => scene.closePages())
afterAll(() => scene.stop())

/** A tenant that did some things, all of them signed. */
async function tenantWithTrail() {
  const tenant = await scene.server.newTenant()
  for (let i = 0; i < 3; i++) await scene.server.newKey(tenant)
  for (let i = 0; i < 5; i++) await scene.server.call('GET', '/api/v2/setup', { cookie: tenant.cookie })
  await expect
    .poll(
      async () => {
        const [row] = await scene.server.db.query<{ waiting: number }>(
          'select (select count(*) from trail_entries) - coalesce(max(c.size), 0) as waiting from trail_checkpoints as c',
        )
        return row?.waiting
      },
      { timeout: 20_000 },
    )
    .toBe(0)
  return tenant
}

test('an entry is verified in the browser, and its proof is good elsewhere', async () => {
  const tenant = await tenantWithTrail()
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/trail?act=key.created&all=true')
  await page
    .getByRole('gridcell', { name: /Made a key|made a key|key/ })
    .first()
    .click()
  const drawer = page.getByRole('dialog')
  await drawer.getByRole('button', { name: 'Verify in this browser' }).click()
  await drawer.getByText('Everything was recomputed in this browser.').waitFor()
  expect(await drawer.getByRole('listitem').filter({ hasText: 'The root is signed by the key' }).count()).toBe(1)
  expect(await accessFaults(page)).toEqual([])

  const saving = page.waitForEvent('download')
  await drawer.getByRole('button', { name: 'Save the proof' }).click()
  const saved = await (await saving).path()
  const key = readVerifier((await (await fetch(`${scene.server.url}/trail/key`)).text()).trim())
  expect(verifyEntryProof(await readFile(saved, 'utf8'), key).entry.act).toBe('key.created')

  // A log that now has fewer entries than this browser has seen was set back.
  await page.evaluate("localStorage.setItem('countersign-trail-head', '999999:' + '0'.repeat(64))")
  await drawer.getByRole('button', { name: 'Verify in this browser' }).click()
  await drawer.getByText(/it was set back/).waitFor()
  expect(faults).toEqual([])
})

test('counts narrow the list, repeats are folded, and both are in the address', async () => {
  const tenant = await tenantWithTrail()
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/trail')
  const counts = page.getByRole('complementary', { name: 'Counts' })
  await counts.getByRole('button', { name: /key\.created/ }).click()
  await expect.poll(() => page.url()).toContain('key.created')
  await counts.getByRole('button', { name: /key\.created/ }).click()
  await expect.poll(() => page.url()).not.toContain('key.created')
  await page.getByRole('button', { name: 'Fold repeats' }).click()
  await expect.poll(() => page.url()).toContain('all=true')
  await page.getByRole('button', { name: /^root/ }).click()
  await page.getByRole('heading', { name: 'Signed checkpoint' }).waitFor()
  expect(await accessFaults(page)).toEqual([])
  expect(faults).toEqual([])
})
