import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyEntries } from '@countersign/trail'
import { Command } from 'commander'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type ServerApart, serverApart, type TestTenant } from '../../../server/test/server.ts'
import { readHeads, readLog } from '../../../server/test/trail-scene.ts'
import { eraseCommand } from './erase-command.ts'
import { holdCommand } from './hold-command.ts'

let server: ServerApart
let acme: TestTenant
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-record-'))
  server = await serverApart()
  acme = await server.newTenant('acme')
  await server.newKey(acme)
  const trail = async () => (await server.call('GET', '/api/v2/trail', { cookie: acme.cookie })).text
  await vi.waitUntil(async () => (await trail()).includes('key.created'), { timeout: 20_000 })
})
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})

async function run(args: readonly string[], answer?: string) {
  const said = { out: '', complaint: '', code: 0, asked: '' }
  const surroundings = {
    env: { XDG_CONFIG_HOME: folder, CSIGN_SERVER: server.url, CSIGN_TOKEN: acme.cookie.split('=')[1] },
    print: (text: string) => void (said.out += text),
    complain: (text: string) => void (said.complaint += text),
    exitWith: (code: number) => void (said.code = code),
    ...(answer !== undefined && {
      ask: (question: string) => {
        said.asked = question
        return Promise.resolve(answer)
      },
    }),
  }
  const program = new Command()
    .exitOverride()
    .addCommand(eraseCommand(surroundings))
    .addCommand(holdCommand(surroundings))
  await program.parseAsync([...args], { from: 'user' })
  return said
}

test('a hold is placed, listed and lifted by command, after a question or with --yes', async () => {
  const placed = await run(['hold', 'place', '--reason', 'Case 17', '--from', '2026-01-01', '--json'])
  expect(placed.complaint).toBe('')
  const { id } = JSON.parse(placed.out) as { id: string }
  expect((await run(['hold', 'list'])).out).toMatch(/stands\t2026-01-01T00:00:00.000Z to no end\t.*Case 17/)
  expect(await run(['hold', 'lift', id])).toMatchObject({ code: 1, complaint: expect.stringMatching(/--yes/) })
  expect(await run(['hold', 'lift', id], 'no')).toMatchObject({ code: 1 })
  expect((await run(['hold', 'lift', id], id)).out).toMatch(/lifted/)
  expect((await run(['hold', 'lift', id, '--yes'])).complaint).toMatch(/lifted before/)
  expect((await run(['hold', 'place', '--reason', 'x', '--from', 'yesterday'])).code).toBe(2)
})

test('a person is erased by address: first what would be unreadable, then a question, then for good; proofs hold', async () => {
  const preview = await run(['erase', acme.email, '--dry-run', '--json'])
  expect(preview.complaint).toBe('')
  const { entries, keys } = JSON.parse(preview.out) as { entries: number; keys: number }
  expect(keys).toBe(1)
  expect(entries).toBeGreaterThan(1)
  expect((await run(['erase', acme.email, '--dry-run'])).out).toMatch(/ in \d+ entries, from 20/)
  expect(await run(['erase', acme.email])).toMatchObject({ code: 1, complaint: expect.stringMatching(/--yes/) })
  const refused = await run(['erase', acme.email], 'yes')
  expect(refused).toMatchObject({ code: 1, complaint: 'Nothing was erased.\n' })
  expect(refused.asked).toMatch(/cannot be undone. Type person:/)
  expect((await server.call('GET', '/api/v2/trail', { cookie: acme.cookie })).text).toContain(acme.email)

  const before = await readLog(server.db)
  expect((await run(['erase', acme.email], `person:${acme.person}`)).out).toMatch(/^Erased: what was personal/)
  const after = await readLog(server.db)
  expect(after.slice(0, before.length)).toEqual(before)
  expect(verifyEntries(after, { heads: await readHeads(server.db) })).toMatchObject({ ok: true })
  const [row] = await server.db.query<{ left: number }>(
    `select count(*) as left from trail_subject_keys as k
      where k.data_subject = $1 and k.sealed_key is not null and k.made_at < (select max(o.erased_at) from trail_subject_keys as o)`,
    [`person:${acme.person}`],
  )
  expect(row).toEqual({ left: 0 })
})

test('who is not there, or was erased before, is told, and nothing is done', async () => {
  expect((await run(['erase', 'nobody@example.com', '--yes'])).complaint).toMatch(/There is nobody with the address/)
  expect((await run(['erase', 'anyone:2001-01', '--yes'])).complaint).toMatch(/holds nothing personal/)
  expect((await run(['erase', 'nobody', '--yes'])).code).toBe(2)
})
