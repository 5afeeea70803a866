import { randomToken, type Secret } from '../../kernel/crypto.ts'
import { Problem, problems } from '../../kernel/problem.ts'

export type YubicoConfig = { readonly clientId: string; readonly secretKey: Secret; readonly url: string }

/** Answers the public identity of the key that made this one-time password, or nothing when it is not good. */
export type CheckYubicoOtp = (otp: string) => Promise<string | undefined>

type SharedKey = Awaited<ReturnType<typeof globalThis.crypto.subtle.importKey>>

const modhex = /^[cbdefghijklnrtuv]{32,48}$/
const timeoutMs = 5_000
const answerBytesMax = 4_096

export function readYubicoOtp(typed: string): string | undefined {
  const otp = typed.trim().toLowerCase()
  return modhex.test(otp) ? otp : undefined
}

/** What identifies the key: everything before the 32 characters that change each time. */
function identityOf(otp: string): string {
  return otp.slice(0, -32)
}

/**
 * Asks the vendor's validation service (protocol 2.0). Its answer counts only when it is signed with the key we share,
 * and is about this password and this question: the service, not the network, is trusted.
 */
export function yubicoChecker({ clientId, secretKey, url }: YubicoConfig): CheckYubicoOtp {
  const sharedKey = importKey(secretKey)
  return async (otp) => {
    const nonce = randomToken(24)
      .replaceAll(/[^a-zA-Z0-9]/g, 'x')
      .slice(0, 32)
    const asked = { id: clientId, nonce, otp }
    const key = await sharedKey
    const address = new URL(url)
    for (const [name, value] of Object.entries({ ...asked, h: await signed(key, asked) }))
      address.searchParams.set(name, value)
    const answer = await fetched(address)
    const { h = '', ...rest } = answer
    const isGenuine = await isSigned(key, rest, h)
    if (!isGenuine || rest['otp'] !== otp || rest['nonce'] !== nonce) {
      throw unavailable(
        `answered something that is not a signed answer to this question (${rest['status'] ?? 'no status'})`,
      )
    }
    const status = rest['status'] ?? ''
    if (status === 'OK') return identityOf(otp)
    if (status === 'BAD_OTP' || status === 'REPLAYED_OTP' || status === 'REPLAYED_REQUEST') return undefined
    throw unavailable(`answered ${status}`)
  }
}

async function importKey(secretKey: Secret): Promise<SharedKey> {
  const bytes = Buffer.from(secretKey.reveal(), 'base64')
  return globalThis.crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-1' }, false, ['sign', 'verify'])
}

function lineOf(parameters: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  const sorted = Object.entries(parameters).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return new TextEncoder().encode(sorted.map(([name, value]) => `${name}=${value}`).join('&'))
}

async function signed(key: SharedKey, parameters: Readonly<Record<string, string>>): Promise<string> {
  return Buffer.from(await globalThis.crypto.subtle.sign('HMAC', key, lineOf(parameters))).toString('base64')
}

function isSigned(key: SharedKey, parameters: Readonly<Record<string, string>>, h: string): Promise<boolean> {
  return globalThis.crypto.subtle.verify('HMAC', key, Buffer.from(h, 'base64'), lineOf(parameters))
}

async function fetched(address: URL): Promise<Readonly<Record<string, string>>> {
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(timeoutMs), redirect: 'error' })
    const text = (await response.text()).slice(0, answerBytesMax)
    const pairs = text.split(/\r?\n/).flatMap((line) => {
      const at = line.indexOf('=')
      return at > 0 ? [[line.slice(0, at).trim(), line.slice(at + 1).trim()] as const] : []
    })
    return Object.fromEntries(pairs)
  } catch (cause) {
    throw unavailable('did not answer', cause)
  }
}

/** Neither right nor wrong: it does not count as a failed attempt, and lets nobody in. */
function unavailable(what: string, cause?: unknown): Problem {
  return new Problem(problems.unavailable, 'The Yubico validation service cannot be asked now. Use another factor.', {
    cause: cause ?? new Error(`The Yubico validation service ${what}`),
  })
}
