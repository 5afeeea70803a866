import { afterAll, beforeAll, expect, test } from 'vitest'
import { knowSecrets } from '../../../server/src/boot/known-secrets.ts'
import { systemClock } from '../../../server/src/kernel/clock.ts'
import { makeKeyring } from '../../../server/src/kernel/crypto.ts'
import { factorsScene } from '../../../server/test/factors-scene.ts'
import { type ServerApart, serverApart } from '../../../server/test/server.ts'
import { peopleCommand } from './people-command.ts'

const sealKey = '5'.repeat(64)
const clock = systemClock()
let server: ServerApart

beforeAll(async () => {
  server = await serverApart({ clock })
  await knowSecrets(server.db, new Date(), { COUNTERSIGN_SEAL_KEY: makeKeyring([sealKey]) })
})
afterAll(() => server.stop())

async function run(args: readonly string[], env: Readonly<Record<string, string>> = { COUNTERSIGN_SEAL_KEY: sealKey }) {
  const out = { text: '', said: '', code: 0 }
  const command = peopleCommand({
    env: { COUNTERSIGN_DATABASE_URL: server.database.url, ...env },
    print: (more) => void (out.text += more),
    complain: (more) => void (out.said += more),
    fail: () => void (out.code = 1),
  })
  await command.parseAsync(['reset-factors', ...args], { from: 'user' })
  return out
}

test('the only administrator who lost the last factor gets in again, is told, and the trail says it was the machine', async () => {
  const acme = await server.newTenant()
  const { cookie } = await factorsScene(server, clock).withTotp(acme.cookie)
  const locked = await server.signIn(acme.email)
  expect((await server.call('GET', '/api/v2/people', { cookie: locked })).status).toBe(403)

  const { text, code } = await run([acme.email.toUpperCase(), '--json'])
  expect(code).toBe(0)
  expect(JSON.parse(text)).toMatchObject({ removed: 1, sessions_ended: 2 })
  await expect.poll(async () => (await server.call('GET', '/api/v2/session', { cookie })).status).toBe(401)

  const back = await server.signIn(acme.email)
  expect((await server.call('GET', '/api/v2/people', { cookie: back })).status).toBe(200)
  const { body } = await server.call('GET', '/api/v2/session', { cookie: back })
  expect(body).toMatchObject({ factors: { is_enrolled: false, was_reset: { by: null } } })
  const [row] = await server.db.query<{ text: string }>(
    `select convert_from(e.bytes, 'UTF8') as text from trail_entries as e
      where e.tenant_id = $1 and e.act = 'factors.reset'`,
    [acme.tenant],
  )
  expect(JSON.parse(row?.text ?? '')).toMatchObject({
    actor: { kind: 'system', id: 'command_line', credential: 'server_machine' },
    subject: { kind: 'person', id: acme.person },
    details: { removed: 1, sessions_ended: 2 },
  })
  expect(row?.text).not.toContain(acme.email)
})

test('nobody by that address, and somebody without a factor, are told so, and the exit code is no', async () => {
  const globex = await server.newTenant()
  expect(await run(['nobody@example.com'])).toMatchObject({
    code: 1,
    said: expect.stringContaining('nobody') as string,
  })
  expect(await run([globex.email])).toMatchObject({
    code: 1,
    text: expect.stringContaining('no second factor') as string,
  })
})

test('without the seal key of this installation nothing is changed', async () => {
  const initech = await server.newTenant()
  const { cookie } = await factorsScene(server, clock).withTotp(initech.cookie)
  await expect(run([initech.email], { COUNTERSIGN_SEAL_KEY: '6'.repeat(64) })).rejects.toThrow()
  expect((await server.call('GET', '/api/v2/session', { cookie })).status).toBe(200)
})
