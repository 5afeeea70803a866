import { Type } from 'typebox'
import { Value } from 'typebox/value'
import type { Provider } from '../features/oidc/index.ts'
import { Secret } from '../kernel/crypto.ts'
import { httpUrl, type Reader } from './config-readers.ts'

const text = Type.String({ minLength: 1, maxLength: 2000 })
const provider = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z][a-z0-9-]{0,30}$' }),
    title: Type.Optional(text),
    issuer: text,
    client_id: text,
    client_secret: text,
    allowed_domains: Type.Optional(Type.Array(text)),
    hosted_domain: Type.Optional(text),
    scopes: Type.Optional(Type.Array(text)),
    asks_for_account: Type.Optional(Type.Boolean()),
    groups_claim: Type.Optional(text),
    group_roles: Type.Optional(Type.Record(text, Type.Array(text, { minItems: 1 }))),
  },
  { additionalProperties: false },
)

const example = '[{"name": "okta", "issuer": "https://acme.okta.com", "client_id": "…", "client_secret": "…"}]'
const names = new Set(['password', 'invitation', 'session'])

/** Identity providers as JSON, since each has a dozen facts of its own. */
export const oidcProviders: Reader<readonly Provider[]> = {
  form: 'JSON',
  read: (given) => {
    const rows = parse(given)
    const seen = new Set<string>()
    return rows.map((row, at) => {
      if (!Value.Check(provider, row)) {
        const [first] = Value.Errors(provider, row)
        throw new Error(
          `is wrong in entry ${at + 1}${first?.instancePath ?? ''}: ${first?.message ?? 'odd'}. Example: ${example}`,
        )
      }
      if (names.has(row.name) || seen.has(row.name)) throw new Error(`cannot have another provider named ${row.name}`)
      seen.add(row.name)
      return {
        name: row.name,
        title: row.title ?? row.name,
        issuer: issuerIn(row.issuer),
        clientId: row.client_id,
        clientSecret: new Secret(row.client_secret),
        allowedDomains: (row.allowed_domains ?? []).map((domain) => domain.toLowerCase()),
        hostedDomain: row.hosted_domain?.toLowerCase() ?? null,
        scopes: row.scopes ?? ['openid', 'email', 'profile'],
        asksForAccount: row.asks_for_account ?? false,
        groupsClaim: row.groups_claim ?? 'groups',
        groupRoles: row.group_roles ? new Map(Object.entries(row.group_roles)) : null,
        callback: `/api/v2/sign-in/${row.name}/callback`,
      }
    })
  },
}

/** Secrets travel to an issuer, so it must be https; loopback is for trying things out. */
export function issuerIn(given: string): string {
  const url = new URL(httpUrl.read(given))
  const isLocal = url.hostname === 'localhost' || url.hostname === '[::1]' || url.hostname.startsWith('127.')
  if (url.protocol !== 'https:' && !isLocal) throw new Error(`names the issuer ${given}, which is not https`)
  return given
}

function parse(given: string): readonly unknown[] {
  try {
    const rows: unknown = JSON.parse(given)
    if (Array.isArray(rows)) return rows
  } catch {
    // Told below: where the parser stumbled says less than an example.
  }
  throw new Error(`must be a JSON list like ${example}`)
}
