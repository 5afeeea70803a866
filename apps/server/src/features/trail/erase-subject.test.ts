import { verifyEntries } from '@countersign/trail'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'
import { readHeads, readLog } from '../../../test/trail-scene.ts'

let server: ServerApart
let acme: TestTenant
let globex: TestTenant

beforeAll(async () => {
  server = await serverApart()
  acme = await server.newTenant('acme')
  globex = await server.newTenant('globex')
})
afterAll(() => server.stop())

type Listed = {
  readonly items: readonly { readonly number: number; readonly act: string; readonly is_erased: boolean }[]
}

const erase = (by: TestTenant, dataSubject: string, confirm = dataSubject) =>
  server.call('POST', '/api/v2/trail/erasures', {
    cookie: by.cookie,
    body: { data_subject: dataSubject, confirm },
  })

async function trailOf(tenant: TestTenant): Promise<string> {
  return (await server.call('GET', '/api/v2/trail?limit=200', { cookie: tenant.cookie })).text
}

test('erasing a person makes what the trail says of them unreadable for ever, while every entry still verifies', async () => {
  await server.newKey(acme)
  await expect.poll(() => trailOf(acme), { timeout: 20_000 }).toContain(acme.email)
  const before = await readLog(server.db)
  const done = await erase(acme, `person:${acme.person}`)
  expect(done).toMatchObject({ status: 200, body: { data_subject: `person:${acme.person}`, keys: 1 } })
  await expect.poll(() => trailOf(acme), { timeout: 20_000 }).toContain('person.erased')
  const after = await readLog(server.db)
  expect(after.slice(0, before.length)).toEqual(before)
  expect(verifyEntries(after, { heads: await readHeads(server.db) })).toMatchObject({ ok: true })
  const shown = JSON.parse(await trailOf(acme)) as Listed
  expect(shown.items.find(({ act }) => act === 'person.erased')).toMatchObject({
    subject: { kind: 'person', id: acme.person },
    details: { keys: 1 },
  })
  const old = shown.items.filter(({ number }) => number < before.length)
  expect(JSON.stringify(old)).not.toContain(acme.email)
  expect(old.some((entry) => entry.is_erased)).toBe(true)
})

test('nobody erases without typing whom, twice the same, or the people of another tenant', async () => {
  expect(await erase(globex, `person:${globex.person}`, 'person:somebody')).toMatchObject({
    status: 409,
    body: { code: 'confirmation_needed', confirm: `person:${globex.person}` },
  })
  expect(await erase(acme, `person:${globex.person}`)).toMatchObject({ status: 404 })
  expect(await trailOf(globex)).toContain(globex.email)
  for (const dataSubject of ['person', 'person:', ' person:x', '']) {
    expect((await erase(globex, dataSubject)).status, dataSubject).toBe(422)
  }
})
