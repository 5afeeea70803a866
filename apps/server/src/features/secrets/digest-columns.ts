/** A column of digests keyed with the secret key. What it digests is not here, so nothing but its use can renew it. */
export type DigestColumn = {
  readonly table: string
  readonly column: string
  readonly words: string
  /** Rows, as `t`, that are still worth something at `$1`. */
  readonly isLive: string
  readonly renewal: Renewal
}

/** `use`: written anew under the current key when it is next presented. `expiry`: gone by itself. `replacement`: by its owner. */
export type Renewal = 'use' | 'expiry' | 'replacement'

const expires = 't.expires_at > $1'

/** Every digest that is looked up; a test holds it against the columns of the database. */
export const digestColumns: readonly DigestColumn[] = [
  {
    table: 'agent_keys',
    column: 'digest',
    words: 'agent keys',
    isLive: 't.revoked_at is null and $1::timestamptz is not null',
    renewal: 'use',
  },
  {
    table: 'api_token_secrets',
    column: 'digest',
    words: 'API tokens',
    isLive: `(t.ends_at is null or t.ends_at > $1) and exists (select from api_tokens as o
      where o.tenant_id = t.tenant_id and o.id = t.token_id and o.revoked_at is null and (o.expires_at is null or o.expires_at > $1))`,
    renewal: 'use',
  },
  {
    table: 'backup_codes',
    column: 'digest',
    words: 'unused backup codes',
    isLive: 't.used_at is null and $1::timestamptz is not null',
    renewal: 'replacement',
  },
  { table: 'sessions', column: 'token_digest', words: 'sessions', isLive: expires, renewal: 'expiry' },
  { table: 'trusted_devices', column: 'token_digest', words: 'trusted browsers', isLive: expires, renewal: 'expiry' },
  { table: 'person_links', column: 'digest', words: 'one-time links', isLive: expires, renewal: 'expiry' },
  {
    table: 'sign_in_attempts',
    column: 'state_digest',
    words: 'sign-ins that are under way',
    isLive: expires,
    renewal: 'expiry',
  },
  {
    table: 'cli_sign_ins',
    column: 'state_digest',
    words: 'sign-ins of command lines that are under way',
    isLive: expires,
    renewal: 'expiry',
  },
]
