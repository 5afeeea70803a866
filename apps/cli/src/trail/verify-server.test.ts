import { readVerifier } from '@countersign/trail'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type ServerApart, serverApart, type TestTenant } from '../../../server/test/server.ts'
import { verifyServer } from './verify-server.ts'

let server: ServerApart
let acme: TestTenant

beforeAll(async () => {
  server = await serverApart()
  acme = await server.newTenant('acme')
  await server.newKey(acme)
  await server.newKey(await server.newTenant('globex'))
})
afterAll(() => server.stop())

async function tokenWith(name: string, permission: string): Promise<string> {
  const made = await server.call('POST', '/api/v2/tokens', {
    cookie: acme.cookie,
    body: { name, permissions: [permission] },
  })
  expect(made.status).toBe(201)
  return (made.body as { readonly token: string }).token
}

/** Everything that was recorded so far is under a signed checkpoint. */
const allSigned = async (): Promise<boolean> => {
  const [row] = await server.db.query<{ waiting: number }>(
    'select (select count(*) from trail_entries) - coalesce(max(c.size), 0) as waiting from trail_checkpoints as c',
  )
  return row?.waiting === 0
}

test('with a token that may read the trail, the bytes of the own entries are checked over the network, others by their hash', async () => {
  const token = await tokenWith('auditor', 'trail:read')
  await vi.waitUntil(allSigned, { timeout: 20_000 })
  const key = readVerifier((await (await fetch(`${server.url}/trail/key`)).text()).trim())
  const all = await verifyServer({ server: server.url, token: undefined, key }, [])
  const own = await verifyServer({ server: server.url, token, key }, [])
  expect(all).toMatchObject({ ok: true, hidden: all.entries })
  expect(own).toMatchObject({ ok: true, faults: [] })
  expect(own.entries).toBeGreaterThanOrEqual(all.entries)
  expect(own.hidden).toBeGreaterThan(0)
  expect(own.hidden).toBeLessThan(own.entries)
})

test('a token that may not read the trail is refused, and nothing is called verified', async () => {
  const token = await tokenWith('reader', 'events:read')
  const key = readVerifier((await (await fetch(`${server.url}/trail/key`)).text()).trim())
  await expect(verifyServer({ server: server.url, token, key }, [])).rejects.toThrow(/answered 403/)
})
