import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../server/src/kernel/clock.ts'
import { accessFaults, type ConsoleScene, openConsole } from '../../server/test/console-scene.ts'
import type { TestTenant } from '../../server/test/server.ts'

const clock = systemClock()
let scene: ConsoleScene
let tenant: TestTenant
let key: string
beforeAll(async () => {
  scene = await openConsole({ clock })
  tenant = await scene.server.newTenant()
  key = (await scene.server.newKey(tenant, 'production')).key
})
afterEach(async () => {
  clock.adjust(0)
  await scene.closePages()
})
afterAll(() => scene.stop())

const ask = async (tool: string, args: object = { path: '/srv' }, by = key): Promise<string> => {
  const body = { agent_id: 'agent-1', tool_name: tool, tool_args: args, message: `May I call ${tool}?`, timeout: 600 }
  const answer = await scene.server.call('POST', '/v1/approvals', { key: by, agent: 'agent-1', body })
  expect(answer.status).toBe(201)
  return (answer.body as { id: string }).id
}
const statusOf = async (id: string): Promise<unknown> => {
  const answer = await scene.server.call('GET', `/v1/approvals/${id}`, { key, agent: 'agent-1' })
  return (answer.body as { status: unknown }).status
}

test('a call that is held appears by itself, is decided from the keyboard, and stays with its fate', async () => {
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/approvals')
  await page.getByText('No call is held').waitFor()
  await page.getByText('Live', { exact: true }).waitFor()
  const first = await ask('read_backup', { path: '/srv/backup', token: 'shh-1234567890' })
  await page.getByRole('heading', { name: 'read_backup' }).waitFor()
  expect(await page.title()).toMatch(/^\(1\) /)
  await page.getByText('masked secret').waitFor()
  expect(await page.content()).not.toContain('shh-1234567890')
  const second = await ask('drop_table')
  await page.getByRole('link', { name: /drop_table/ }).waitFor()
  expect(await accessFaults(page)).toEqual([])

  await page.keyboard.press('j')
  await page.getByRole('heading', { name: 'drop_table' }).waitFor()
  await page.keyboard.press('r')
  await page.keyboard.type('Not during the freeze')
  await page.keyboard.press('Escape')
  await page.keyboard.press('d')
  await page.getByLabel('What became of it').getByText('Not during the freeze').waitFor()
  expect(await statusOf(second)).toBe('denied')
  // It does not vanish from under the cursor.
  await page
    .getByRole('link', { name: /drop_table/ })
    .getByText('Denied')
    .waitFor()

  await page.keyboard.press('k')
  await page.getByRole('heading', { name: 'read_backup' }).waitFor()
  await page.keyboard.press('a')
  await page.getByLabel('What became of it').getByText('Approved').waitFor()
  expect(await statusOf(first)).toBe('approved')
  await expect.poll(() => page.title()).not.toMatch(/^\(/)
  expect(faults).toEqual([])
})

test('letters that are written decide nothing, into a field or past it, and letters that turn the text stand there by their code', async () => {
  const id = await ask('send_mail', { path: '/srv/\u202egpj.exe' })
  const { page, open } = await scene.newPage(tenant)
  await open(`/approvals/${id}`)
  await page.getByText('U+202E', { exact: true }).waitFor()
  await page.keyboard.type('bad idea')
  await page.getByLabel('Reason', { exact: true }).fill('')
  await page.keyboard.type('a bad idea and a dear one')
  expect(await statusOf(id)).toBe('pending')
  await page.getByRole('button', { name: 'Deny' }).click()
  await page.getByLabel('What became of it').getByText('a bad idea and a dear one').waitFor()
})

test('several calls are decided at once, and one that somebody else decided meanwhile is named', async () => {
  const [one, two, three] = [await ask('bulk_one'), await ask('bulk_two'), await ask('bulk_three')]
  const { page, open } = await scene.newPage(tenant)
  await open('/approvals?q=bulk_')
  for (const tool of ['bulk_one', 'bulk_two', 'bulk_three']) await page.getByLabel(`Select ${tool}`).check()
  await page.getByRole('toolbar').getByRole('button', { name: 'Approve' }).click()
  await page.getByRole('dialog').getByText('bulk_three').waitFor()
  await scene.server.call('POST', `/api/v2/approvals/${three}/decision`, {
    cookie: tenant.cookie,
    body: { approve: false },
  })
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /^Approve/ })
    .click()
  await page
    .getByText(/could not be decided|calls approved/)
    .first()
    .waitFor()
  await expect
    .poll(async () => [await statusOf(one), await statusOf(two), await statusOf(three)])
    .toEqual(['approved', 'approved', 'denied'])
})

test('deciding many asks once for the fresh proof that policy wants for some, and then carries those too', async () => {
  const policies = [{ rule: null, proof: 'step-up', approvers: 1, excludes_owner: false }]
  const guarded = '/api/v2/environments/staging/approval-policies'
  const put = await scene.server.call('PUT', guarded, { cookie: tenant.cookie, body: { policies } })
  expect(put.status, put.text).toBe(200)
  const staging = (await scene.server.newKey(tenant, 'staging')).key
  // The proof of signing in is too old by now; what is asked is of this minute.
  clock.adjust(11 * 60_000)
  const free = await ask('proof_free')
  const [one, two] = [await ask('proof_one', {}, staging), await ask('proof_two', {}, staging)]
  const statuses = async (): Promise<readonly unknown[]> => {
    const of = async (id: string) => {
      const answer = await scene.server.call('GET', `/api/v2/approvals/${id}`, { cookie: tenant.cookie })
      return (answer.body as { status: unknown }).status
    }
    return [await of(free), await of(one), await of(two)]
  }
  const { page, open } = await scene.newPage(tenant)
  await open('/approvals?q=proof_')
  for (const tool of ['proof_free', 'proof_one', 'proof_two']) await page.getByLabel(`Select ${tool}`).check()
  await page.getByRole('toolbar').getByRole('button', { name: 'Deny' }).click()
  await page.getByRole('button', { name: 'Deny 3 calls' }).click()
  const proof = page.getByRole('dialog', { name: 'Confirm that it is you' })
  await proof.waitFor()
  expect(await statuses()).toEqual(['denied', 'pending', 'pending'])
  await proof.getByLabel('Password', { exact: true }).fill(scene.server.password)
  await page.keyboard.press('Enter')
  await page.getByText('3 calls denied').waitFor()
  await proof.waitFor({ state: 'hidden' })
  expect(await statuses()).toEqual(['denied', 'denied', 'denied'])
})

test('approving many leaves out what one’s own key asks, and says why', async () => {
  const other = await scene.server.newPerson(tenant, [{ role: 'admin', environment: null }])
  const theirs = await scene.server.newKey({ ...tenant, cookie: other.cookie }, 'production')
  const [own, foreign] = [await ask('mixed_own'), await ask('mixed_foreign', {}, theirs.key)]
  const { page, open } = await scene.newPage(tenant)
  await open('/approvals?q=mixed_')
  const bar = page.getByRole('toolbar')
  await page.getByLabel('Select mixed_own').check()
  expect(await bar.getByRole('button', { name: 'Approve' }).isDisabled()).toBe(true)
  expect(await bar.getByRole('button', { name: 'Approve' }).getAttribute('title')).toContain('Your own key asks')
  await page.getByLabel('Select mixed_foreign').check()
  await bar.getByRole('button', { name: 'Approve' }).click()
  const dialog = page.getByRole('dialog', { name: 'Approve 1 call' })
  await dialog.getByLabel('Left out').getByText('mixed_own').waitFor()
  expect(await accessFaults(page)).toEqual([])
  await dialog.getByRole('button', { name: 'Approve 1 call' }).click()
  await page.getByText('1 call approved').waitFor()
  expect([await statusOf(own), await statusOf(foreign)]).toEqual(['pending', 'approved'])
  expect((await scene.server.call('DELETE', `/api/v2/people/${other.person}`, { cookie: tenant.cookie })).status).toBe(
    200,
  )
})

test('on a telephone the list leads to the call and back, and both buttons can be reached', async () => {
  const id = await ask('phone_call')
  const { page, open } = await scene.newPage(tenant, { viewport: { width: 390, height: 844 } })
  await open('/approvals')
  await page.getByRole('link', { name: /phone_call/ }).click()
  await page.getByRole('heading', { name: 'phone_call' }).waitFor()
  expect(await accessFaults(page)).toEqual([])
  await page.getByRole('link', { name: 'All calls' }).click()
  await page.getByRole('link', { name: /phone_call/ }).click()
  await page.getByRole('button', { name: 'Approve' }).click()
  await page.getByLabel('What became of it').getByText('Approved').waitFor()
  expect(await statusOf(id)).toBe('approved')
})
