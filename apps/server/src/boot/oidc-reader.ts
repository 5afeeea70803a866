import { createRequire } from 'node:module'
import { type Static, Type } from '@countersign/wire'
import type * as typeBox from 'typebox/value'
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
    admits_newcomers: Type.Optional(Type.Boolean()),
    newcomer_role: Type.Optional(text),
  },
  { additionalProperties: false },
)

const example = '[{"name": "okta", "issuer": "https://acme.okta.com", "client_id": "…", "client_secret": "…"}]'
const require = createRequire(import.meta.url)
const names = new Set(['password', 'invitation', 'session', 'passkey', 'recovery'])

/** Identity providers as JSON, since each has a dozen facts of its own. */
export const oidcProviders: Reader<readonly Provider[]> = {
  form: 'JSON',
  read: (given) => {
    const rows = parse(given)
    // Only where providers are given: these are hundreds of modules, which every other start can do without.
    const { Value } = require('typebox/value') as typeof typeBox
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
        newcomers: newcomersOf(row),
        callback: `/api/v2/sign-in/${row.name}/callback`,
      }
    })
  },
}

/** Off unless it is switched on. A provider that anybody can have an account with must not open the door to anybody. */
function newcomersOf(row: Static<typeof provider>): Provider['newcomers'] {
  const { name, admits_newcomers: admits = false, newcomer_role: role = null, group_roles: groups } = row
  if (!admits) {
    if (role === null) return null
    throw new Error(`gives ${name} a newcomer_role, which needs "admits_newcomers": true`)
  }
  if ((row.allowed_domains ?? []).length === 0 && row.hosted_domain === undefined)
    throw new Error(`lets ${name} admit newcomers from anywhere. Name its allowed_domains`)
  if (role === 'admin') throw new Error(`makes every newcomer of ${name} an administrator. Name another newcomer_role`)
  if (groups !== undefined && role !== null)
    throw new Error(`gives ${name} both group_roles and a newcomer_role. Groups decide at every sign-in: keep one`)
  return { role: groups === undefined ? (role ?? 'viewer') : null }
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
