import { equalInConstantTime, type Keyring } from '../../kernel/crypto.ts'
import { tokenIn } from './session-cookie.ts'

export type CsrfTokens = ReturnType<typeof csrfTokens>

/** What a page of ours knows and another site's does not: bound to the session, so that nobody can bring their own. */
export function csrfTokens(keyring: Pick<Keyring, 'macs'>) {
  const macs = keyring.macs('csrf-token')
  const written = (hex: string): string => Buffer.from(hex, 'hex').toString('base64').replace(/=+$/, '')
  const all = (cookieHeader: string | undefined): readonly string[] => {
    const token = tokenIn(cookieHeader)
    return token === undefined ? [] : macs.map((mac) => written(mac('csrf|', token)))
  }
  return {
    of: (cookieHeader: string | undefined): string | undefined => all(cookieHeader)[0],
    matches: (cookieHeader: string | undefined, given: unknown): boolean =>
      typeof given === 'string' && all(cookieHeader).some((one) => equalInConstantTime(one, given)),
  }
}
