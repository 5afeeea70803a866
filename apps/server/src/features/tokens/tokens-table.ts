import type { Sql } from '../../kernel/db.ts'
import { isActiveSql } from '../people/index.ts'

/** What a presented token is worth, if anything. */
export type LiveToken = {
  readonly tenant: string
  /** Of the text that was presented, as it is stored: perhaps under an older secret. */
  readonly secret: { readonly id: string; readonly digest: string }
  readonly id: string
  readonly name: string
  readonly ownerId: string
  readonly prefix: string
  readonly permissions: readonly string[]
  readonly environments: readonly string[] | null
  readonly protectedEnvironments: readonly string[]
  readonly isOwnerActive: boolean
  readonly revokedAt: Date | null
  readonly expiresAt: Date | null
  /** Of the very text that was presented, when it was rotated. */
  readonly secretEndsAt: Date | null
}

/** Looks by digest, since the tenant is what we want to learn. Whether it still holds is for the caller to see. */
export async function findPresentedToken(
  db: Sql,
  digests: readonly string[],
  now: Date,
): Promise<LiveToken | undefined> {
  const [row] = await db.query<LiveToken>(
    `select t.tenant_id as tenant, json_build_object('id', c.id, 'digest', c.digest) as secret, t.id, t.name, t.owner_id as "ownerId", c.prefix, t.permissions, t.environments,
            (select coalesce(array_agg(e.name), '{}') from environments as e
              where e.tenant_id = t.tenant_id and e.is_protected) as "protectedEnvironments",
            ${isActiveSql('p', '$2')} as "isOwnerActive", t.revoked_at as "revokedAt", t.expires_at as "expiresAt",
            c.ends_at as "secretEndsAt"
       from api_token_secrets as c
       join api_tokens as t on t.tenant_id = c.tenant_id and t.id = c.token_id
       join people as p on p.tenant_id = t.tenant_id and p.id = t.owner_id
      where c.digest = any($1)`,
    [digests, now],
  )
  return row
}

export type TokenRow = {
  readonly id: string
  readonly wireNo: number
  readonly name: string
  readonly prefix: string
  readonly permissions: readonly string[]
  readonly environments: readonly string[] | null
  readonly ownerId: string
  readonly ownerEmail: string
  readonly ownerNo: number
  readonly isOwnerActive: boolean
  readonly madeBy: string
  readonly madeByEmail: string
  /** The person who made it, as older clients name people. */
  readonly maker: { readonly no: number; readonly email: string; readonly name: string } | null
  readonly madeAt: Date
  readonly expiresAt: Date | null
  readonly lastUsedAt: Date | null
  readonly rotatedAt: Date | null
  readonly previousUntil: Date | null
  readonly revokedAt: Date | null
}

const columns = (
  now: string,
) => `t.id, t.wire_no as "wireNo", t.name, t.permissions, t.environments, t.owner_id as "ownerId", o.email as "ownerEmail", o.wire_no as "ownerNo",
  (select jsonb_build_object('no', c.wire_no, 'email', c.email, 'name', c.name)
     from people as c where c.tenant_id = t.tenant_id and c.id = t.made_by) as maker,
  ${isActiveSql('o', now)} as "isOwnerActive", t.made_by as "madeBy", coalesce(m.email, '') as "madeByEmail",
  t.made_at as "madeAt", t.expires_at as "expiresAt", t.last_used_at as "lastUsedAt", t.rotated_at as "rotatedAt",
  t.revoked_at as "revokedAt",
  (select c.prefix from api_token_secrets as c
    where c.tenant_id = t.tenant_id and c.token_id = t.id order by c.ends_at is null desc, c.ends_at desc limit 1) as prefix,
  (select max(c.ends_at) from api_token_secrets as c
    where c.tenant_id = t.tenant_id and c.token_id = t.id and c.ends_at > ${now}) as "previousUntil"`
const from = `api_tokens as t join people as o on o.tenant_id = t.tenant_id and o.id = t.owner_id
  left join principals as m on m.tenant_id = t.tenant_id and m.id = t.made_by`

export function listTokens(db: Sql, tenant: string, withRevoked: boolean, now: Date): Promise<TokenRow[]> {
  return db.query<TokenRow>(
    `select ${columns('$3')} from ${from}
      where t.tenant_id = $1 and ($2 or t.revoked_at is null)
      order by t.revoked_at is not null, t.made_at desc, t.id desc`,
    [tenant, withRevoked, now],
  )
}

export async function findToken(db: Sql, tenant: string, id: string, now: Date): Promise<TokenRow | undefined> {
  const [row] = await db.query<TokenRow>(`select ${columns('$3')} from ${from} where t.tenant_id = $1 and t.id = $2`, [
    tenant,
    id,
    now,
  ])
  return row
}

export type NewToken = {
  readonly tenant: string
  readonly id: string
  readonly name: string
  readonly permissions: readonly string[]
  readonly environments: readonly string[] | null
  readonly owner: string
  readonly madeBy: string
  readonly madeAt: Date
  readonly expiresAt: Date | null
}

export async function insertToken(tx: Sql, token: NewToken): Promise<void> {
  await tx.query(
    `insert into api_tokens (tenant_id, id, name, permissions, environments, owner_id, made_by, made_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      token.tenant,
      token.id,
      token.name,
      token.permissions,
      token.environments,
      token.owner,
      token.madeBy,
      token.madeAt,
      token.expiresAt,
    ],
  )
}

export type NewSecret = {
  readonly tenant: string
  readonly id: string
  readonly token: string
  readonly digest: string
  readonly prefix: string
  readonly madeAt: Date
}

export async function insertTokenSecret(tx: Sql, secret: NewSecret): Promise<void> {
  await tx.query(
    `insert into api_token_secrets (tenant_id, id, token_id, digest, prefix, made_at) values ($1, $2, $3, $4, $5, $6)`,
    [secret.tenant, secret.id, secret.token, secret.digest, secret.prefix, secret.madeAt],
  )
}

/** From then on the secrets there are run out; those that would run out sooner keep their end. */
export async function endTokenSecrets(tx: Sql, tenant: string, token: string, at: Date): Promise<void> {
  await tx.query(
    `update api_token_secrets as c set ends_at = least(coalesce(c.ends_at, $3), $3) where c.tenant_id = $1 and c.token_id = $2`,
    [tenant, token, at],
  )
}

/** Held until the transaction ends, so that two who change it go one after the other. */
export async function lockToken(tx: Sql, tenant: string, id: string): Promise<boolean> {
  const rows = await tx.query(
    `select t.id from api_tokens as t where t.tenant_id = $1 and t.id = $2 and t.revoked_at is null for update`,
    [tenant, id],
  )
  return rows.length > 0
}

export type TokenChange = {
  readonly name?: string | undefined
  readonly permissions?: readonly string[] | undefined
  readonly expiresAt?: Date | undefined
  readonly rotatedAt?: Date | undefined
}

export async function updateToken(tx: Sql, tenant: string, id: string, change: TokenChange): Promise<void> {
  await tx.query(
    `update api_tokens as t
        set name = coalesce($3, t.name), permissions = coalesce($4, t.permissions),
            expires_at = coalesce($5, t.expires_at), rotated_at = coalesce($6, t.rotated_at)
      where t.tenant_id = $1 and t.id = $2 and t.revoked_at is null`,
    [tenant, id, change.name ?? null, change.permissions ?? null, change.expiresAt ?? null, change.rotatedAt ?? null],
  )
}

export async function revokeTokenRow(tx: Sql, tenant: string, id: string, by: string, at: Date): Promise<boolean> {
  const rows = await tx.query(
    `update api_tokens as t set revoked_at = $4, revoked_by = $3
      where t.tenant_id = $1 and t.id = $2 and t.revoked_at is null returning t.id`,
    [tenant, id, by, at],
  )
  return rows.length > 0
}

/** All of an owner who leaves; answers which. */
export async function revokeTokensOf(tx: Sql, tenant: string, owner: string, by: string, at: Date): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `update api_tokens as t set revoked_at = $4, revoked_by = $3
      where t.tenant_id = $1 and t.owner_id = $2 and t.revoked_at is null returning t.id`,
    [tenant, owner, by, at],
  )
  return rows.map(({ id }) => id)
}

/** Many at once, now and then: last use is a hint for people, not a record. */
export async function noteTokenUses(
  db: Sql,
  uses: readonly { readonly tenant: string; readonly id: string; readonly at: Date }[],
): Promise<void> {
  await db.query(
    `update api_tokens as t set last_used_at = u.at
       from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as u (tenant_id, id, at)
      where t.tenant_id = u.tenant_id and t.id = u.id and (t.last_used_at is null or t.last_used_at < u.at)`,
    [uses.map(({ tenant }) => tenant), uses.map(({ id }) => id), uses.map(({ at }) => at)],
  )
}
