import type { Secret } from '../../kernel/crypto.ts'

/** An identity provider people may sign in with. */
export type Provider = {
  /** In addresses and on record. */
  readonly name: string
  readonly title: string
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: Secret
  /** Domains of addresses that may sign in; none means all that were invited. */
  readonly allowedDomains: readonly string[]
  /** Demanded in Google's claim `hd`, which personal accounts lack. */
  readonly hostedDomain: string | null
  readonly scopes: readonly string[]
  /** Whether people are asked which of their accounts to use; not every provider knows how to. */
  readonly asksForAccount: boolean
  readonly groupsClaim: string
  /** Which roles each group gives, as `role`, `role@environment`, `role@:rack` or `role@environment:rack`; null leaves roles to people. */
  readonly groupRoles: ReadonlyMap<string, readonly string[]> | null
  /** Whom this provider vouches for within its domains is made at the first sign-in, with this role, or what groups give. */
  readonly newcomers: { readonly role: string | null } | null
  /** Where the provider sends the browser back to, below our base URL; registered with it. */
  readonly callback: string
}

/** What a provider proved of somebody. */
export type Proven = {
  readonly issuer: string
  readonly subject: string
  readonly email: string
  readonly name: string | null
  readonly groups: readonly string[]
}

/** Why somebody was not let in; words for people are the page's. */
export type Reason =
  | 'state'
  | 'provider'
  | 'unverified_email'
  | 'domain'
  | 'unknown'
  | 'inactive'
  | 'no_role'
  | 'another_identity'

export class SignInRefused extends Error {
  readonly reason: Reason
  /** Known when the provider had said so much. */
  readonly email: string | undefined

  constructor(reason: Reason, options: { readonly cause?: unknown; readonly email?: string } = {}) {
    super(reason, { cause: options.cause })
    this.reason = reason
    this.email = options.email
  }
}

/** What the claims of a verified ID token prove, or why they do not. */
export function provenBy(provider: Provider, claims: Readonly<Record<string, unknown>>): Proven {
  const { iss, sub, email, email_verified: isVerified, name, hd } = claims
  if (typeof iss !== 'string' || typeof sub !== 'string' || typeof email !== 'string')
    throw new SignInRefused('provider')
  // An address nobody verified is what its owner claims to be, and could be anybody's.
  if (isVerified !== true) throw new SignInRefused('unverified_email', { email })
  const [, domain, ...more] = email.toLowerCase().split('@')
  const { allowedDomains, hostedDomain } = provider
  const isAllowed = allowedDomains.length === 0 || (domain !== undefined && allowedDomains.includes(domain))
  const isHosted = hostedDomain === null || (typeof hd === 'string' && hd.toLowerCase() === hostedDomain)
  if (domain === undefined || more.length > 0 || !isAllowed || !isHosted) throw new SignInRefused('domain', { email })
  const groups = claims[provider.groupsClaim]
  return {
    issuer: iss,
    subject: sub,
    email,
    name: typeof name === 'string' && name.trim() !== '' ? name.slice(0, 120) : null,
    groups: Array.isArray(groups) ? groups.filter((group): group is string => typeof group === 'string') : [],
  }
}

/** Where to go on after sign-in: a path of ours, whatever was asked for. */
export function safeReturn(asked: string | undefined): string {
  if (asked === undefined || asked.length > 2000) return '/'
  // A backslash counts as a slash for browsers, and control characters are dropped by them.
  if (!/^\/(?![/\\])[^\\\u0000-\u0020\u007f]*$/.test(asked)) return '/'
  const url = new URL(asked, 'http://here.invalid')
  // Dots are resolved only now: of `/.//x` two slashes are left.
  if (url.origin !== 'http://here.invalid' || url.pathname.startsWith('//')) return '/'
  return url.pathname + url.search + url.hash
}
