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

function passwordIn(encoded: string): string | undefined {
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const at = text.indexOf(':')
  return at < 0 ? undefined : text.slice(at + 1)
}
