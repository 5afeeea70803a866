import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../test/database.ts'
import { fakeS3 } from '../../../test/fake-s3.ts'
import { type TestServer, type TestTenant, testServer } from '../../../test/server.ts'

let database: TestDatabase
let s3: Awaited<ReturnType<typeof fakeS3>>
let server: TestServer
let acme: TestTenant
let globex: TestTenant

beforeAll(async () => {
  database = await testDatabase()
  s3 = await fakeS3()
  server = await testServer({
    databaseUrl: database.url,
    environment: {
      LOG_RETENTION_DAYS: '365',
      AUDIT_ANCHOR_BUCKET: 'anchors',
      AUDIT_ANCHOR_CHAIN_ID: 'acme',
      AWS_ENDPOINT_URL_S3: s3.endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
    },
  })
  acme = await server.newTenant('acme')
  globex = await server.newTenant('globex')
})
afterAll(async () => {
  await server.stop()
  await s3.close()
  await database.drop()
})

type Held = { readonly id: string; readonly lifted_at: string | null }
const path = '/api/v2/trail/holds'
const place = (by: TestTenant, body: object) => server.call('POST', path, { cookie: by.cookie, body })
const lift = (by: TestTenant, id: string, confirm = id) =>
  server.call('POST', `${path}/${id}/lift`, { cookie: by.cookie, body: { confirm } })
const list = async (by: TestTenant) =>
  ((await server.call('GET', path, { cookie: by.cookie })).body as { items: readonly Held[] }).items
const state = async () => (await server.call('GET', '/api/v2/trail/retention', { cookie: acme.cookie })).body

test('a hold is placed with a reason, seen by its own tenant, lifted once with a confirmation, and all of it recorded', async () => {
  const placed = await place(acme, { reason: 'Case 17, asked for by legal', from: '2026-01-01T00:00:00.000Z' })
  expect(placed).toMatchObject({
    status: 201,
    body: { from: '2026-01-01T00:00:00.000Z', until: null, lifted_at: null },
  })
  const { id } = placed.body as Held
  expect(await list(acme)).toMatchObject([{ id }])
  expect(await list(globex)).toEqual([])
  expect((await lift(globex, id)).status).toBe(404)
  expect(await lift(acme, id, 'yes')).toMatchObject({ status: 409, body: { code: 'confirmation_needed', confirm: id } })
  expect(await state()).toMatchObject({ is_on: true, days: 365, archive_days: 400, removed: 0, holds: 1 })
  expect(await lift(acme, id)).toMatchObject({ status: 200, body: { lifted_by: { id: acme.person } } })
  expect((await lift(acme, id)).status).toBe(409)
  expect(await list(acme)).toMatchObject([{ id, lifted_at: expect.any(String) }])
  expect(await state()).toMatchObject({ holds: 0 })
  const acts = await server.db.query<{ act: string }>(
    `select e.act from trail_entries as e where e.subject_kind = 'hold' and e.outcome = 'done' order by e.arrival`,
  )
  expect(acts.map(({ act }) => act)).toEqual(['hold.placed', 'hold.lifted'])
})

test('a hold without a reason, or one that ends before it begins, is refused with what to do', async () => {
  expect((await place(acme, { reason: '  ' })).status).toBe(422)
  const backwards = await place(acme, {
    reason: 'x',
    from: '2026-02-01T00:00:00.000Z',
    until: '2026-01-01T00:00:00.000Z',
  })
  expect(backwards).toMatchObject({ status: 422 })
  expect(backwards.text).toContain('The end must come after the beginning')
  expect(await list(acme)).toHaveLength(1)
})

test('the policy is shown among the settings with its source', async () => {
  const settings = await server.call('GET', '/api/v2/settings', { cookie: acme.cookie })
  expect(settings.text).toContain('COUNTERSIGN_LOG_RETENTION_DAYS')
  expect(settings.text).toContain('365')
  expect(await state()).toMatchObject({ next: { is: 'few' }, error: null })
})
