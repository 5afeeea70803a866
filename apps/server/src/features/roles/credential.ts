import type { IncomingHttpHeaders } from 'node:http'
import { Problem, problems } from '../../kernel/problem.ts'

/** A second factor that comes along with a request. */
export type InlineFactor = { readonly type: 'totp' | 'webauthn'; readonly value: string }

/** What an `Authorization` header presents. */
export type Credential = {
  /** An API token, or the token of a session. */
  readonly token: string
  /** A second factor some command lines append to a session's token: `<token>.<type>.<value>`. */
  readonly factor: { readonly type: string; readonly value: string } | undefined
}

const lengthMax = 20_000

/**
 * Reads `Bearer <token>` and `Basic <anything>:<token>`, the latter since that is all some clients can be told. No
 * token of ours holds a dot, so the first two end the token and the factor's type.
 */
export function credentialIn(header: string | undefined): Credential | undefined {
  if (header === undefined || header.length > lengthMax) return undefined
  const [, scheme = '', given = ''] = /^(Bearer|Basic) +(\S+) *$/i.exec(header) ?? []
  const text = scheme.toLowerCase() === 'basic' ? passwordIn(given) : given
  if (text === undefined || text === '') return undefined
  const [token = '', type, ...value] = text.split('.')
  if (token.startsWith('rgw_') || type === undefined) return { token: text, factor: undefined }
  return { token, factor: { type, value: value.join('.') } }
}

/**
 * The factor a request carries: in a header of its own, else behind the session's token. Whatever the type `totp` names
 * may be any code that can be typed.
 */
export function inlineFactorIn(headers: IncomingHttpHeaders): InlineFactor | undefined {
  const { 'x-mfa-totp': code, 'x-mfa-webauthn': assertion } = headers
  if (typeof code === 'string' && code !== '') return { type: 'totp', value: code }
  if (typeof assertion === 'string' && assertion !== '') return { type: 'webauthn', value: assertion }
  const appended = credentialIn(headers.authorization)?.factor
  if (!appended) return undefined
  const { type, value } = appended
  if (type === 'totp' || type === 'webauthn') return { type, value }
  throw new Problem(
    problems.invalidFactorType,
    'What follows the session’s token must be .totp.<code> or .webauthn.<assertion>.',
  )
}

function passwordIn(encoded: string): string | undefined {
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const at = text.indexOf(':')
  return at < 0 ? undefined : text.slice(at + 1)
}
