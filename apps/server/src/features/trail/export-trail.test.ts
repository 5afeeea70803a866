import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readVerifier } from '@countersign/trail'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { verifyExport } from '../../../../cli/src/trail/trail-export.ts'
import { type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'
import { expectWholeTrail } from '../../../test/whole-trail.ts'

let server: ServerApart
let acme: TestTenant
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-export-'))
  server = await serverApart({ environment: { AUDIT_HMAC_SECRET: 'the secret of the MAC, 32 and more' } })
  acme = await server.newTenant('acme')
  await server.newKey(acme)
  await server.newKey(await server.newTenant('globex'))
  await vi.waitUntil(async () => {
    const [row] = await server.db.query<{ waiting: number }>(
      'select (select count(*) from trail_entries) - coalesce(max(c.size), 0) as waiting from trail_checkpoints as c',
    )
    return row?.waiting === 0
  }, 20_000)
})
afterAll(async () => {
  await server.stop(expectWholeTrail)
  await rm(folder, { recursive: true })
})

const get = (query: string) => server.call('GET', `/api/v2/trail/export?${query}`, { cookie: acme.cookie })

test('evidence verifies against the log’s key alone, shows the own entries and hides the others', async () => {
  const answer = await fetch(`${server.url}/api/v2/trail/export?format=evidence`, { headers: { cookie: acme.cookie } })
  expect(answer.status).toBe(200)
  const text = await answer.text()
  expect(answer.headers.get('content-disposition')).toBe('attachment; filename="trail.evidence.jsonl"')
  expect(text).not.toContain('globex')
  const path = join(folder, 'trail.evidence.jsonl')
  await writeFile(path, text)
  const key = readVerifier((await (await fetch(`${server.url}/trail/key`)).text()).trim())
  const report = await verifyExport(path, [], { key })
  expect(report).toMatchObject({ ok: true, heads_given: 1 })
  expect(report.hidden).toBeGreaterThan(0)
  expect(report.entries).toBeGreaterThan(report.hidden)
  expect((await get('format=evidence&act=key.created')).status).toBe(422)
})

test('an export is itself in the trail, with its filter', async () => {
  expect((await get('format=csv&act=key.*&address=10.0.0.1')).status).toBe(200)
  const [row] = await server.db.query<{ bytes: Buffer }>(
    `select e.bytes from trail_entries as e where e.act = 'trail.exported' order by e.arrival desc limit 1`,
  )
  const entry: { details: unknown; actor: { id: string } } = JSON.parse(row?.bytes.toString() ?? '')
  expect(entry.details).toEqual({ format: 'csv', filter: { act: 'key.*', address: '[sealed]' } })
  expect(entry.actor.id).toBe(acme.person)
})

test('an entry tells its MAC and that it is right', async () => {
  const { body } = await server.call('GET', '/api/v2/trail?act=key.created', { cookie: acme.cookie })
  const [item] = (body as { items: { number: number }[] }).items
  const one = await server.call('GET', `/api/v2/trail/${item?.number}`, { cookie: acme.cookie })
  expect(one.body).toMatchObject({ mac: { found: 'good', key: expect.stringMatching(/^[0-9a-f]{16}$/) } })
  expect(one.text).not.toContain('the secret of the MAC, 32 and more')
})
