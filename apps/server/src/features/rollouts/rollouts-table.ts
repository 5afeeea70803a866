import type { RolloutKind } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import type { RulesetDialect } from '../rulesets/index.ts'
import type { Endorsement } from './rollout.ts'

/** One rollout of a place at a time, so that each knows what it followed. */
export async function lockPlace(tx: Sql, tenant: string, environment: string, ruleset: string): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, [
    `rollout:${tenant}:${environment}:${ruleset}`,
  ])
}

/** Answers whether the environment exists; it cannot be removed until the transaction ends. */
export async function holdEnvironment(tx: Sql, tenant: string, environment: string): Promise<boolean> {
  const rows = await tx.query(
    `select e.name from environments as e where e.tenant_id = $1 and e.name = $2 for key share`,
    [tenant, environment],
  )
  return rows.length > 0
}

export async function findEnvironment(
  db: Sql,
  tenant: string,
  environment: string,
): Promise<{ readonly isProtected: boolean } | undefined> {
  const [row] = await db.query<{ isProtected: boolean }>(
    `select e.is_protected as "isProtected" from environments as e where e.tenant_id = $1 and e.name = $2`,
    [tenant, environment],
  )
  return row
}

export type LivePlace = {
  readonly environment: string
  readonly rolloutId: string
  readonly version: number
  readonly revisionId: string
  readonly at: Date
}

/** Where a ruleset is live, and in which version. */
export function listLivePlaces(db: Sql, tenant: string, ruleset: string): Promise<LivePlace[]> {
  return db.query<LivePlace>(
    `select c.environment, o.id as "rolloutId", o.version, o.revision_id as "revisionId", o.made_at as at
       from current_rollouts as c join rollouts as o on o.tenant_id = c.tenant_id and o.id = c.rollout_id
      where c.tenant_id = $1 and c.ruleset = $2`,
    [tenant, ruleset],
  )
}

export type NewRollout = {
  readonly tenant: string
  readonly id: string
  readonly environment: string
  readonly ruleset: string
  readonly revisionId: string
  readonly version: number
  readonly kind: RolloutKind
  readonly note: string | null
  readonly previousId: string | null
  readonly previousVersion: number | null
  readonly by: string
  readonly at: Date
}

/** Writes it down and makes it the current one of its place. */
export async function insertRollout(tx: Sql, rollout: NewRollout): Promise<void> {
  await tx.query(
    `insert into rollouts (tenant_id, id, environment, ruleset, revision_id, version, kind, note, previous_id, previous_version, made_by, made_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      rollout.tenant,
      rollout.id,
      rollout.environment,
      rollout.ruleset,
      rollout.revisionId,
      rollout.version,
      rollout.kind,
      rollout.note,
      rollout.previousId,
      rollout.previousVersion,
      rollout.by,
      rollout.at,
    ],
  )
  await tx.query(
    `insert into current_rollouts as c (tenant_id, environment, ruleset, rollout_id) values ($1, $2, $3, $4)
     on conflict (tenant_id, environment, ruleset) do update set rollout_id = excluded.rollout_id`,
    [rollout.tenant, rollout.environment, rollout.ruleset, rollout.id],
  )
}

export type NewSignature = {
  readonly signingKeyId: string
  readonly rendering: RulesetDialect
  readonly signature: Buffer
}

export async function insertSignatures(
  tx: Sql,
  tenant: string,
  rolloutId: string,
  signatures: readonly NewSignature[],
  at: Date,
): Promise<void> {
  await tx.query(
    `insert into rollout_signatures (tenant_id, rollout_id, signing_key_id, rendering, signature, signed_at)
     select $1, $2, s.key_id, s.rendering, s.signature, $6
       from unnest($3::uuid[], $4::text[], $5::bytea[]) as s (key_id, rendering, signature)`,
    [
      tenant,
      rolloutId,
      signatures.map(({ signingKeyId }) => signingKeyId),
      signatures.map(({ rendering }) => rendering),
      signatures.map(({ signature }) => signature),
      at,
    ],
  )
}

export async function listCurrentIds(db: Sql, tenant: string): Promise<readonly string[]> {
  const rows = await db.query<{ id: string }>(
    `select c.rollout_id as id from current_rollouts as c where c.tenant_id = $1`,
    [tenant],
  )
  return rows.map(({ id }) => id)
}

export async function readTexts(
  db: Sql,
  tenant: string,
  rolloutId: string,
): Promise<Readonly<Record<RulesetDialect, string>>> {
  const [row] = await db.query<Record<RulesetDialect, string>>(
    `select r.ruleset_text as ruleset, r.contract_bundle_text as contract_bundle
       from rollouts as o join revisions as r on r.tenant_id = o.tenant_id and r.id = o.revision_id
      where o.tenant_id = $1 and o.id = $2`,
    [tenant, rolloutId],
  )
  if (!row) throw new Error(`The rollout ${rolloutId} has no revision`)
  return row
}

export async function findCurrentId(
  db: Sql,
  tenant: string,
  environment: string,
  ruleset: string,
): Promise<string | undefined> {
  const [row] = await db.query<{ id: string }>(
    `select c.rollout_id as id from current_rollouts as c
      where c.tenant_id = $1 and c.environment = $2 and c.ruleset = $3`,
    [tenant, environment, ruleset],
  )
  return row?.id
}

export type CurrentRow = {
  readonly rolloutId: string
  readonly version: number
  readonly revisionId: string
  readonly rolledOutAt: Date
  readonly uploadedBy: string
  readonly uploadedAt: Date
  readonly rulesetText: string
  readonly rulesetHash: string
  readonly contractBundleText: string
  readonly contractBundleHash: string
  readonly fallbackSigningKeyId: string | null
  readonly wasLiveBefore: boolean
  readonly endorsements: readonly Endorsement[]
  readonly signatures: readonly {
    readonly key: string
    readonly publicKey: string
    readonly rendering: RulesetDialect
    /** Hexadecimal. */
    readonly signature: string
  }[]
}

/** Everything that is served of what is live in a place, in one statement and so of one moment. */
export async function readCurrent(
  db: Sql,
  tenant: string,
  environment: string,
  ruleset: string,
): Promise<CurrentRow | undefined> {
  const [row] = await db.query<CurrentRow>(
    `select o.id as "rolloutId", o.version, o.revision_id as "revisionId", o.made_at as "rolledOutAt",
            coalesce(p.email, r.uploaded_by::text) as "uploadedBy", r.uploaded_at as "uploadedAt",
            r.ruleset_text as "rulesetText", r.ruleset_hash as "rulesetHash",
            r.contract_bundle_text as "contractBundleText", r.contract_bundle_hash as "contractBundleHash",
            (select k.id from signing_keys as k where k.tenant_id = c.tenant_id and k.is_current) as "fallbackSigningKeyId",
            exists (select from rollouts as b join revisions as e on e.tenant_id = b.tenant_id and e.id = b.revision_id
                     where b.tenant_id = o.tenant_id and b.ruleset = o.ruleset and b.environment = o.environment
                       and b.number < o.number
                       and (e.ruleset_hash = r.ruleset_hash or e.contract_bundle_hash = r.contract_bundle_hash)) as "wasLiveBefore",
            coalesce((select jsonb_agg(jsonb_build_object('key', s.signing_key_id, 'publicKey', k.public_key,
                                                          'rendering', s.rendering, 'signature', encode(s.signature, 'hex')))
                        from rollout_signatures as s
                        join signing_keys as k on k.tenant_id = s.tenant_id and k.id = s.signing_key_id
                       where s.tenant_id = c.tenant_id and s.rollout_id = c.rollout_id), '[]') as signatures,
            coalesce((select jsonb_agg(jsonb_build_object('publicKey', k.public_key, 'by', b.public_key,
                                                          'signature', encode(e.signature, 'base64')) order by e.made_at)
                        from signing_key_endorsements as e
                        join signing_keys as k on k.tenant_id = e.tenant_id and k.id = e.signing_key_id
                        join signing_keys as b on b.tenant_id = e.tenant_id and b.id = e.by_signing_key_id
                       where e.tenant_id = c.tenant_id), '[]') as endorsements
       from current_rollouts as c
       join rollouts as o on o.tenant_id = c.tenant_id and o.id = c.rollout_id
       join revisions as r on r.tenant_id = o.tenant_id and r.id = o.revision_id
       left join principals as p on p.tenant_id = r.tenant_id and p.id = r.uploaded_by
      where c.tenant_id = $1 and c.environment = $2 and c.ruleset = $3`,
    [tenant, environment, ruleset],
  )
  return row
}

export type RolloutRow = {
  readonly id: string
  readonly number: number
  readonly environment: string
  readonly ruleset: string
  readonly revisionId: string
  readonly version: number
  readonly hash: string
  readonly kind: RolloutKind
  readonly note: string | null
  readonly previousVersion: number | null
  readonly by: string
  readonly byEmail: string | null
  readonly at: Date
  readonly isCurrent: boolean
}

const columns = `o.id, o.number, o.environment, o.ruleset, o.revision_id as "revisionId", o.version,
  case r.dialect when 'ruleset' then r.ruleset_hash else r.contract_bundle_hash end as hash,
  o.kind, o.note, o.previous_version as "previousVersion", o.made_by as by, p.email as "byEmail", o.made_at as at,
  exists (select from current_rollouts as c
           where c.tenant_id = o.tenant_id and c.environment = o.environment and c.ruleset = o.ruleset and c.rollout_id = o.id) as "isCurrent"`
const from = `rollouts as o
  join revisions as r on r.tenant_id = o.tenant_id and r.id = o.revision_id
  left join principals as p on p.tenant_id = o.tenant_id and p.id = o.made_by`

export async function findRollout(db: Sql, tenant: string, id: string): Promise<RolloutRow | undefined> {
  const [row] = await db.query<RolloutRow>(`select ${columns} from ${from} where o.tenant_id = $1 and o.id = $2`, [
    tenant,
    id,
  ])
  return row
}

export type RolloutFilter = {
  readonly ruleset?: string | undefined
  readonly environment?: string | undefined
  readonly by?: string | undefined
  readonly since?: Date | undefined
  readonly until?: Date | undefined
  /** Only those numbered lower: the page after. */
  readonly below?: number | undefined
}

/** Newest first. */
export function listRollouts(db: Sql, tenant: string, filter: RolloutFilter, limit: number): Promise<RolloutRow[]> {
  return db.query<RolloutRow>(
    `select ${columns} from ${from}
      where o.tenant_id = $1
        and ($2::text is null or o.ruleset = $2)
        and ($3::text is null or o.environment = $3)
        and ($4::uuid is null or o.made_by = $4)
        and ($5::timestamptz is null or o.made_at >= $5)
        and ($6::timestamptz is null or o.made_at < $6)
        and ($7::bigint is null or o.number < $7)
      order by o.number desc limit $8`,
    [
      tenant,
      filter.ruleset ?? null,
      filter.environment ?? null,
      filter.by ?? null,
      filter.since ?? null,
      filter.until ?? null,
      filter.below ?? null,
      limit,
    ],
  )
}
