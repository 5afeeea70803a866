import type { Job, RecurringJobs, Replay, RolloutTrial } from '@countersign/wire'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { rulesetYaml } from '../../../test/rulesets-scene.ts'
import { type Answer, type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'

let server: ServerApart
let acme: TestTenant

beforeAll(async () => {
  server = await serverApart()
  acme = await server.newTenant('acme')
})

afterAll(() => server.stop())

const call = (method: string, path: string, body?: object, who = acme): Promise<Answer> =>
  server.call(method, `/api/v2${path}`, { cookie: who.cookie, ...(body && { body }) })

async function must<Body>(method: string, path: string, body?: object): Promise<Body> {
  const answer = await call(method, path, body)
  expect(answer.status, answer.text).toBeLessThan(300)
  return answer.body as Body
}

const list = async (query = ''): Promise<{ items: Job[]; next_cursor: string | null }> => must('GET', `/jobs${query}`)

async function replay(): Promise<string> {
  const since = new Date(Date.now() - 3_600_000).toISOString()
  const { id } = await must<Replay>('POST', '/replays', { yaml: rulesetYaml('guard'), since })
  await ended(id)
  return id
}

const ended = (id: string): Promise<Job> =>
  vi.waitFor(
    async () => {
      const one = await must<Job>('GET', `/jobs/${id}`)
      expect(one.ended_at).not.toBeNull()
      return one
    },
    { timeout: 20_000 },
  )

/** As a replay looks that could not be brought to its end. */
const fail = (id: string): Promise<unknown> =>
  server.db.query(
    `update replays as r set status = 'failed', result = null, failure = 'It ended its process.', attempts = 3
      where r.id = $1`,
    [id],
  )

test('what people ordered is one list, newest first, page by page, by status and by kind', async () => {
  await must('POST', '/rulesets', { yaml: rulesetYaml('listed') })
  const first = await replay()
  const { id: second } = await must<RolloutTrial>('POST', '/rulesets/listed/trials', {
    version: 1,
    environment: 'staging',
    minutes: 60,
  })
  const third = await replay()
  expect((await list()).items.map(({ id }) => id)).toEqual([third, second, first])
  const page = await list('?limit=2')
  expect(page.items.map(({ id }) => id)).toEqual([third, second])
  expect((await list(`?limit=2&cursor=${page.next_cursor ?? ''}`)).items.map(({ id }) => id)).toEqual([first])
  expect((await list('?kind=trial')).items).toMatchObject([{ id: second, status: 'running', can_cancel: true }])
  expect((await list('?status=failed')).items).toEqual([])
  await fail(first)
  expect((await list('?status=failed')).items).toMatchObject([
    { id: first, can_retry: true, can_cancel: false, attempts: 3, failure: 'It ended its process.' },
  ])
  expect((await call('GET', '/jobs?cursor=2026')).status).toBe(422)
})

test('one that failed is begun again and ends; one that is done is not, and both answers say why', async () => {
  const id = await replay()
  const refused = await call('POST', `/jobs/${id}/retry`)
  expect(refused.status).toBe(409)
  expect(refused.text).toContain('failed or was cancelled')
  await fail(id)
  expect(await must<Job>('POST', `/jobs/${id}/retry`)).toMatchObject({ failure: null })
  expect(await ended(id)).toMatchObject({ status: 'done', attempts: 1 })
  expect((await call('POST', `/jobs/${id}/cancellation`)).status).toBe(409)
})

test('a trial that is cancelled as a job enforces nothing, and is not begun again from there', async () => {
  await must('POST', '/rulesets', { yaml: rulesetYaml('tried') })
  const { id } = await must<RolloutTrial>('POST', '/rulesets/tried/trials', {
    version: 1,
    environment: 'staging',
    minutes: 60,
  })
  expect(await must<Job>('POST', `/jobs/${id}/cancellation`)).toMatchObject({ status: 'cancelled', can_cancel: false })
  expect((await call('POST', `/jobs/${id}/retry`)).status).toBe(409)
})

test('jobs of another tenant do not exist, and no job carries the text or the calls it works on', async () => {
  const globex = await server.newTenant('globex')
  const { items } = await list()
  for (const { id } of items) {
    for (const [method, path] of [
      ['GET', `/jobs/${id}`],
      ['POST', `/jobs/${id}/retry`],
      ['POST', `/jobs/${id}/cancellation`],
    ] as const)
      expect((await call(method, path, undefined, globex)).status).toBe(404)
  }
  expect((await call('GET', '/jobs', undefined, globex)).body).toMatchObject({ items: [] })
  expect(JSON.stringify(items)).not.toContain('apiVersion')
})

test('who began a job again or cancelled it is in the trail', async () => {
  const rows = await server.db.query<{ act: string }>(
    `select distinct e.act from trail_entries as e where e.act in ('replay.retried', 'rollout_trial.cancelled') order by 1`,
  )
  expect(rows.map(({ act }) => act)).toEqual(['replay.retried', 'rollout_trial.cancelled'])
})

test('periodic work says how it fares, each by its own name', async () => {
  const { items } = await must<RecurringJobs>('GET', '/jobs/recurring')
  expect(items.map(({ name }) => name)).toContain('trail_sequencer')
  expect(items.every(({ every_seconds }) => every_seconds > 0)).toBe(true)
})
