import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { accessFaults, type ConsoleScene, lookAt, openConsole } from '../../server/test/console-scene.ts'
import { rulesetYaml } from '../../server/test/rulesets-scene.ts'
import type { TestTenant } from '../../server/test/server.ts'

let scene: ConsoleScene
beforeAll(async () => {
  scene = await openConsole()
})
afterEach(() => scene.closePages())
afterAll(() => scene.stop())

/** The machine may be busy; a page that is right is right at once. */
const patiently = { timeout: 30_000 }

async function must(tenant: TestTenant, method: string, path: string, body?: object): Promise<{ readonly id: string }> {
  const answer = await scene.server.call(method, `/api/v2${path}`, { cookie: tenant.cookie, ...(body && { body }) })
  expect(answer.status, answer.text).toBeLessThan(300)
  return answer.body as { id: string }
}

/** A replay that could not be brought to its end, and a rollout that observes. */
async function ordered(): Promise<TestTenant> {
  const tenant = await scene.server.newTenant()
  await must(tenant, 'POST', '/rulesets', { yaml: rulesetYaml('guard') })
  const since = new Date(Date.now() - 3_600_000).toISOString()
  const { id } = await must(tenant, 'POST', '/replays', { ruleset: 'guard', version: 1, since })
  const isOver = async (): Promise<boolean> => {
    const rows = await scene.server.db.query(`select from replays as r where r.id = $1 and r.status = 'done'`, [id])
    return rows.length > 0
  }
  await expect.poll(isOver, patiently).toBe(true)
  await scene.server.db.query(
    `update replays as r set status = 'failed', result = null, failure = 'It ended its process.' where r.id = $1`,
    [id],
  )
  await must(tenant, 'POST', '/rulesets/guard/trials', { version: 1, environment: 'staging', minutes: 600 })
  return tenant
}

test('what failed is begun again and what observes is cancelled, from one list', async () => {
  const tenant = await ordered()
  const { page, faults, open } = await scene.newPage(tenant)
  await open('/jobs')
  const jobs = page.getByRole('grid', { name: 'Jobs' })
  await jobs.getByText('Running, 0 %').waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  await page.getByRole('combobox', { name: 'Status' }).click()
  await page.getByRole('option', { name: 'Failed' }).click()
  await jobs.getByText('replay', { exact: true }).click(patiently)
  const drawer = page.getByRole('dialog', { name: 'Replay: guard v1' })
  await drawer.getByText('It ended its process.').waitFor(patiently)
  expect(await accessFaults(page)).toEqual([])
  await drawer.getByRole('button', { name: 'Begin it again' }).click()
  await drawer.getByText('Done').waitFor(patiently)
  expect(await drawer.getByRole('button', { name: 'Begin it again' }).count()).toBe(0)
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Clear the filters' }).click(patiently)

  await jobs.getByText('observe first').click(patiently)
  const trial = page.getByRole('dialog', { name: 'Observe first: guard v1' })
  await trial.getByRole('button', { name: 'Cancel it' }).click(patiently)
  await trial.getByText('Cancelled').waitFor(patiently)
  expect(faults).toEqual([])
})

test('jobs can be read by everybody and are never wider than the screen', async () => {
  const { page, faults, open } = await scene.newPage(await ordered())
  const grids: Readonly<Record<string, string>> = { '/jobs': 'Jobs', '/jobs?tab=recurring': 'Periodic work' }
  await lookAt(
    { page, open },
    {
      paths: Object.keys(grids),
      isShown: (path) => page.getByRole('grid', { name: grids[path] ?? '' }).waitFor(patiently),
    },
  )
  expect(faults).toEqual([])
})
