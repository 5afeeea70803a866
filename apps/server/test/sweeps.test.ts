import { startLyingIdp } from '@countersign/idp-sim'
import { expect, test } from 'vitest'
import { testClock } from '../src/kernel/clock.ts'
import { eventually } from './agent-stream.ts'
import { totpCode } from './factors-scene.ts'
import { serverApart } from './server.ts'

const minute = 60_000
const headers = { 'x-requested-with': 'countersign' }

test('what has ended by itself is removed: sessions, sign-ins under way, challenges, trusted browsers and counters of limits', async () => {
  const client = { id: 'countersign', secret: 'a secret between us and the provider' }
  const idp = await startLyingIdp(client)
  const clock = testClock(new Date().toISOString())
  const provider = { name: 'acme', issuer: idp.issuer, client_id: client.id, client_secret: client.secret }
  const server = await serverApart({
    clock,
    environment: { COUNTERSIGN_OIDC_PROVIDERS: JSON.stringify([provider]) },
  })
  const now = (): number => clock.now().getTime()
  const acme = await server.newTenant()
  const call = (method: string, path: string, body?: unknown, cookie = acme.cookie) =>
    server.call(method, path, { cookie, headers, ...(body !== undefined && { body }) })

  // Begun and never ended, each of them.
  await call('GET', '/api/v2/sign-in/acme')
  await call('POST', '/api/v1/auth/cli/start', {})
  await call('POST', '/api/v2/cli-sign-ins', { device: 'laptop' })
  await call('POST', '/api/v2/mfa/passkeys/challenge')
  const started = await call('POST', '/api/v2/mfa/totp', {})
  const { id, secret } = started.body as { id: string; secret: string }
  await call('POST', `/api/v2/mfa/totp/${id}/confirmation`, { code: totpCode(secret, now()) })
  await clock.jumpBy(minute)
  const cookie = await server.signIn(acme.email)
  await call('POST', '/api/v2/mfa/verification', { code: totpCode(secret, now()), trust_device: true }, cookie)

  const counts = async (): Promise<Readonly<Record<string, number>>> => {
    const tables = ['sessions', 'sign_in_attempts', 'cli_sign_ins', 'passkey_challenges', 'trusted_devices', 'limits']
    const each = tables.map(async (table) => {
      const rows = await server.db.query(`select 1 from ${table} as t`)
      return [table, rows.length] as const
    })
    return Object.fromEntries(await Promise.all(each))
  }
  const before = await counts()
  for (const [table, count] of Object.entries(before)) expect(count, table).toBeGreaterThan(0)

  await clock.jumpBy(91 * 24 * 60 * minute)
  const after = await eventually(counts, (found) => Object.values(found).every((count) => count === 0))
  expect(
    Object.values(after).every((count) => count === 0),
    JSON.stringify(after),
  ).toBe(true)
  // Whoever they were of is still there.
  expect(await server.signIn(acme.email)).not.toBe('')
  await server.stop()
  await idp.stop()
})
