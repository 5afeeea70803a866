import type { Sql } from '../../kernel/db.ts'

export type SigningKeyRow = {
  readonly id: string
  readonly publicKey: string
  readonly isCurrent: boolean
  readonly madeBy: string | null
  readonly madeByEmail: string | null
  readonly madeAt: Date
  readonly retiredAt: Date | null
  readonly keyCount: number
}

export type SealedKey = { readonly id: string; readonly publicKey: string; readonly sealedSeed: string }

/**
 * Rollouts share it, changes of signing keys hold it alone: so a rollout is signed by every key there is when it
 * commits, and a new key signs every rollout that is current when that one commits.
 */
export async function lockSigningKeys(tx: Sql, tenant: string, how: 'shared' | 'alone'): Promise<void> {
  const lock = how === 'shared' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock'
  await tx.query(`select ${lock}(hashtextextended('signing:' || $1::text, 0))`, [tenant])
}

type NewSigningKey = SealedKey & { readonly tenant: string; readonly madeBy: string | null; readonly madeAt: Date }

export async function insertCurrentKey(tx: Sql, key: NewSigningKey): Promise<void> {
  await tx.query(`update signing_keys as k set is_current = false where k.tenant_id = $1 and k.is_current`, [
    key.tenant,
  ])
  await tx.query(
    `insert into signing_keys (tenant_id, id, public_key, sealed_seed, is_current, made_by, made_at)
     values ($1, $2, $3, $4, true, $5, $6)`,
    [key.tenant, key.id, key.publicKey, key.sealedSeed, key.madeBy, key.madeAt],
  )
}

export async function findCurrentKeyId(db: Sql, tenant: string): Promise<string | undefined> {
  const [row] = await db.query<{ id: string }>(
    `select k.id from signing_keys as k where k.tenant_id = $1 and k.is_current`,
    [tenant],
  )
  return row?.id
}

/** Those that sign: every key not retired. */
export function listSealedKeys(db: Sql, tenant: string): Promise<SealedKey[]> {
  return db.query<SealedKey>(
    `select k.id, k.public_key as "publicKey", k.sealed_seed as "sealedSeed"
       from signing_keys as k where k.tenant_id = $1 and k.retired_at is null order by k.made_at, k.id`,
    [tenant],
  )
}

export async function insertEndorsements(
  tx: Sql,
  tenant: string,
  keyId: string,
  endorsements: readonly { readonly signingKeyId: string; readonly signature: Buffer }[],
  at: Date,
): Promise<void> {
  await tx.query(
    `insert into signing_key_endorsements (tenant_id, signing_key_id, by_signing_key_id, signature, made_at)
     select $1, $2, e.by_id, e.signature, $5 from unnest($3::uuid[], $4::bytea[]) as e (by_id, signature)`,
    [
      tenant,
      keyId,
      endorsements.map(({ signingKeyId }) => signingKeyId),
      endorsements.map(({ signature }) => signature),
      at,
    ],
  )
}

/** How many would sign a rollout. */
export async function countSigningKeys(db: Sql, tenant: string): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    `select count(*) as count from signing_keys as k where k.tenant_id = $1 and k.retired_at is null`,
    [tenant],
  )
  return row?.count ?? 0
}

const columns = `k.id, k.public_key as "publicKey", k.is_current as "isCurrent", k.made_by as "madeBy", p.email as "madeByEmail",
  k.made_at as "madeAt", k.retired_at as "retiredAt",
  (select count(*) from agent_keys as a
    where a.tenant_id = k.tenant_id and a.signing_key_id = k.id and a.revoked_at is null) as "keyCount"`
const from = `signing_keys as k left join principals as p on p.tenant_id = k.tenant_id and p.id = k.made_by`

export function listSigningKeys(db: Sql, tenant: string): Promise<SigningKeyRow[]> {
  return db.query<SigningKeyRow>(
    `select ${columns} from ${from} where k.tenant_id = $1
      order by k.is_current desc, k.retired_at is not null, k.made_at desc, k.id desc`,
    [tenant],
  )
}

export async function findSigningKey(db: Sql, tenant: string, id: string): Promise<SigningKeyRow | undefined> {
  const [row] = await db.query<SigningKeyRow>(`select ${columns} from ${from} where k.tenant_id = $1 and k.id = $2`, [
    tenant,
    id,
  ])
  return row
}

export async function retireKeyRow(tx: Sql, tenant: string, id: string, by: string, at: Date): Promise<boolean> {
  const rows = await tx.query(
    `update signing_keys as k set retired_at = $4, retired_by = $3
      where k.tenant_id = $1 and k.id = $2 and k.retired_at is null and not k.is_current
      returning k.id`,
    [tenant, id, by, at],
  )
  return rows.length > 0
}

export type FollowingKey = {
  readonly id: string
  readonly label: string
  readonly prefix: string
  readonly environment: string
  readonly lastUsedAt: Date | null
}

/** Agent keys in use that are served this signing key's signatures. */
export function listFollowingKeys(db: Sql, tenant: string, signingKeyId: string): Promise<FollowingKey[]> {
  return db.query<FollowingKey>(
    `select a.id, a.label, a.prefix, a.environment, a.last_used_at as "lastUsedAt"
       from agent_keys as a
      where a.tenant_id = $1 and a.signing_key_id = $2 and a.revoked_at is null
      order by a.last_used_at desc nulls last, a.id`,
    [tenant, signingKeyId],
  )
}

export type FollowingAgent = {
  readonly agentId: string
  readonly environment: string
  readonly keyId: string
  readonly lastSeenAt: Date | null
}

/** Agents that were seen with those keys: on a stream that is open, or fetching. */
export function listFollowingAgents(db: Sql, tenant: string, signingKeyId: string): Promise<FollowingAgent[]> {
  return db.query<FollowingAgent>(
    `select u.agent_id as "agentId", k.environment, k.id as "keyId", max(g.last_seen_at) as "lastSeenAt"
       from agent_keys as k
       join (select s.tenant_id, s.key_id, s.agent_id from agent_streams as s where s.tenant_id = $1
             union
             select f.tenant_id, f.key_id, f.agent_id from agent_fetches as f where f.tenant_id = $1) as u
         on u.tenant_id = k.tenant_id and u.key_id = k.id
       left join agents as g
         on g.tenant_id = k.tenant_id and g.environment = k.environment and g.agent_id = u.agent_id
      where k.tenant_id = $1 and k.signing_key_id = $2 and k.revoked_at is null
      group by u.agent_id, k.environment, k.id
      order by max(g.last_seen_at) desc nulls last, u.agent_id`,
    [tenant, signingKeyId],
  )
}
