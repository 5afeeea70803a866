import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { accessFaults, type ConsoleScene, openConsole } from '../../server/test/console-scene.ts'
import { fakeS3 } from '../../server/test/fake-s3.ts'
import type { TestTenant } from '../../server/test/server.ts'

let s3: Awaited<ReturnType<typeof fakeS3>>
let off: ConsoleScene
let on: ConsoleScene
let ofOff: TestTenant
let ofOn: TestTenant

beforeAll(async () => {
  s3 = await fakeS3()
  off = await openConsole()
  on = await openConsole({
    environment: {
      AUDIT_ANCHOR_BUCKET: 'anchors',
      AUDIT_ANCHOR_CHAIN_ID: 'countersign-tests',
      LOG_RETENTION_DAYS: '365',
      AWS_ENDPOINT_URL_S3: s3.endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    },
  })
  ofOff = await off.server.newTenant()
  ofOn = await on.server.newTenant()
})
afterEach(async () => {
  await off.closePages()
  await on.closePages()
})
afterAll(async () => {
  await off.stop()
  await on.stop()
  await s3.close()
})

/** An act, and the checkpoint that covers it. */
async function somethingNew(): Promise<void> {
  const sizeOf = async (): Promise<number> => {
    const [row] = await on.server.db.query<{ size: number }>(
      'select coalesce(max(c.size), 0) as size from trail_checkpoints as c',
    )
    return row?.size ?? 0
  }
  const before = await sizeOf()
  await on.server.newKey(ofOn)
  await expect.poll(sizeOf, patiently).toBeGreaterThan(before)
}

/** The machine may be busy; a page that is right is right at once. */
const patiently = { timeout: 30_000 }

test('while the trail is not anchored the page shows what to keep, and how to have it anchored', async () => {
  const { page, faults, open } = await off.newPage(ofOff)
  await open('/anchors')
  await page.getByText('The trail is not anchored').waitFor(patiently)
  await page.getByText('COUNTERSIGN_ANCHOR_BUCKET=my-anchors').waitFor(patiently)
  await page
    .getByRole('region', { name: 'Newest checkpoint' })
    .getByText(/entries|entry/)
    .waitFor(patiently)
  await page.getByRole('button', { name: 'Copy the signed checkpoint' }).waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  expect(faults).toEqual([])
})

test('anchors are listed with their state, written on request, and a store that refuses is told in its own words', async () => {
  const { page, faults, open } = await on.newPage(ofOn)
  await open('/anchors')
  const list = page.getByRole('grid', { name: 'Anchors' })
  await list.getByText('Locked', { exact: true }).first().waitFor(patiently)
  await page.getByText('Anchored in time').waitFor(patiently)
  await somethingNew()
  await page.getByRole('button', { name: 'Anchor now' }).click()
  await expect.poll(() => list.getByText('Locked', { exact: true }).count(), patiently).toBe(2)
  await list.getByText('Locked', { exact: true }).first().click()
  const drawer = page.getByRole('dialog', { name: 'Anchor 1' })
  await drawer.getByText('countersign trail anchors verify').waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  await page.keyboard.press('Escape')

  s3.misbehave('no_lock')
  await somethingNew()
  await page.getByRole('button', { name: 'Anchor now' }).click()
  await page.getByText('The newest checkpoint is not anchored').waitFor(patiently)
  await page
    .getByText(/has no Object Lock/)
    .first()
    .waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  s3.misbehave()
  expect(faults).toEqual([])
})

test('who erases a person must type whom, and then reads nothing personal of them any more', async () => {
  const { page, open } = await off.newPage(ofOff)
  await open('/trail?entry=0')
  await page
    .getByRole('button', { name: /Erase what is personal/ })
    .first()
    .click(patiently)
  const dialog = page.getByRole('dialog', { name: 'Erase what the trail says of a person' })
  await dialog.getByRole('textbox').fill(ofOff.person.slice(-12))
  await dialog.getByRole('button', { name: 'Erase for good' }).click()
  await page.getByText('Personal facts were recorded here and have been erased since.').waitFor(patiently)
})

test('retention is told, and a legal hold is placed and lifted with what it means', async () => {
  const { page, faults, open } = await on.newPage(ofOn)
  await open('/anchors')
  await page.getByRole('region', { name: 'Retention' }).getByText('365 days at least').waitFor(patiently)
  const holds = page.getByRole('region', { name: 'Legal holds' })
  await holds.getByText('Nothing is held').waitFor(patiently)
  await holds.getByRole('button', { name: 'Place a hold' }).click()
  await page.getByRole('textbox', { name: 'Why' }).fill('Case 17, asked for by legal')
  await page.getByLabel('Entries from').fill('2026-01-01')
  await page.getByLabel('Through').fill('2026-03-31')
  expect(await accessFaults(page)).toEqual([])
  await page.getByRole('button', { name: 'Place the hold' }).click()
  await holds.getByText('entries from 2026-01-01 through 2026-03-31').waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  await holds.getByRole('button', { name: 'Lift' }).click()
  const name = await page.locator('label code').textContent()
  await page.getByRole('textbox', { name: /to confirm/ }).fill(name ?? '')
  await page.getByRole('button', { name: 'Lift the hold' }).click()
  await holds.getByText('1 hold lifted').waitFor(patiently)
  expect(faults).toEqual([])
})

test('without a policy the page says what one would do', async () => {
  const { page, faults, open } = await off.newPage(ofOff)
  await open('/anchors')
  await page.getByText('Entries are kept for ever').waitFor(patiently)
  expect(faults).toEqual([])
})
