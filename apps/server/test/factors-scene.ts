import { Secret as OtpSecret, TOTP } from 'otpauth'
import type { Clock } from '../src/kernel/clock.ts'
import { type PretendPasskey, pretendPasskey } from './pretend-passkey.ts'
import type { Answer, TestServer, TestTenant } from './server.ts'

export type Body = Readonly<Record<string, unknown>>

const minute = 60_000

/** People with factors and command lines of theirs, on one server whose clock can be moved. */
export function factorsScene(server: TestServer, clock: Clock & { readonly adjust: (ms: number) => void }) {
  let moved = 0
  const pass = (milliseconds: number): void => {
    moved += milliseconds
    clock.adjust(moved)
  }
  const call = async (
    cookie: string,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<Answer & { body: Body }> => {
    const answer = await server.call(method, `/api/v2${path}`, { cookie, ...(body !== undefined && { body }) })
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
    return { ...answer, body: (answer.body ?? {}) as Body }
  }
  const codeOf = (secret: string, steps = 0): string => totpCode(secret, clock.now().getTime() + steps * 30_000)

  return {
    pass,
    codeOf,

    /** An authenticator app of somebody who has just signed in; the cookie is the session's new one. */
    withTotp: async (cookie: string) => {
      const { id, secret } = (await call(cookie, 'POST', '/mfa/totp', {})).body as { id: string; secret: string }
      const confirmed = await call(cookie, 'POST', `/mfa/totp/${id}/confirmation`, { code: codeOf(secret) })
      pass(minute)
      return { secret, cookie: cookieIn(confirmed), codes: confirmed.body['backup_codes'] as string[] }
    },

    withPasskey: async (cookie: string, key: PretendPasskey = pretendPasskey()) => {
      const asked = (await call(cookie, 'POST', '/mfa/passkeys/challenge')).body as {
        challenge_id: string
        options: Body
      }
      const { challenge_id, options } = asked
      const draft = { challenge_id, label: 'key', credential: key.create(options) }
      const made = await call(cookie, 'POST', '/mfa/passkeys', draft)
      return { key, cookie: made.headers.has('set-cookie') ? cookieIn(made) : cookie }
    },

    /** The session of a command line that somebody let in from a browser. */
    commandLine: async (cookie: string): Promise<string> => {
      const begun = (await server.call('POST', '/api/v1/auth/cli/start')).body as Record<string, string>
      const code = new URL(begun['auth_url'] ?? '').searchParams.get('code')
      await call(cookie, 'POST', '/cli-sign-ins/decision', { code, approve: true })
      const { state, code_verifier } = begun
      const done = await server.call('POST', '/api/v1/auth/cli/complete', { body: { state, code_verifier } })
      if (done.status !== 200) throw new Error(`not signed in: ${done.status} ${done.text}`)
      return String((done.body as Body)['token'])
    },
  }
}

/** What an authenticator app shows at an instant. */
export function totpCode(secret: string, timestamp: number): string {
  return new TOTP({ secret: OtpSecret.fromBase32(secret) }).generate({ timestamp })
}

export type FactorsScene = ReturnType<typeof factorsScene>

export function cookieIn(answer: Answer, name = 'countersign_session'): string {
  const found = answer.headers.getSetCookie().find((one) => one.startsWith(`${name}=`))
  if (found === undefined) throw new Error(`no ${name} in ${answer.status} ${answer.text}`)
  return found.split(';')[0] ?? ''
}

/** The value of a session's cookie, which a program can present in a header. */
export function tokenOf({ cookie }: Pick<TestTenant, 'cookie'>): string {
  return cookie.slice(cookie.indexOf('=') + 1)
}

export const basic = (password: string, user = 'convox'): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
