import type { Sql } from '../../kernel/db.ts'
import type { PinnedRevision, Revision, RevisionTexts, RulesetDialect } from './revision.ts'

/** Counts the name's versions up in the row itself: racing uploads wait for each other and none is lost. */
export async function nextVersion(tx: Sql, tenant: string, name: string, madeAt: Date): Promise<number> {
  const [row] = await tx.query<{ version: number }>(
    `insert into rulesets as s (tenant_id, name, latest_version, made_at) values ($1, $2, 1, $3)
     on conflict (tenant_id, name) do update set latest_version = s.latest_version + 1
     returning s.latest_version as version`,
    [tenant, name, madeAt],
  )
  return row?.version ?? 1
}

export type NewRevision = {
  readonly tenant: string
  readonly id: string
  readonly ruleset: string
  readonly version: number
  readonly dialect: RulesetDialect
  readonly texts: Readonly<Record<RulesetDialect, string>>
  readonly hashes: Readonly<Record<RulesetDialect, string>>
  readonly source: string | null
  readonly parents: readonly PinnedRevision[]
  readonly description: string | null
  readonly ruleCount: number
  readonly note: string | null
  readonly uploadedBy: string
  readonly uploadedAt: Date
}

export async function insertRevision(tx: Sql, revision: NewRevision): Promise<void> {
  await tx.query(
    `insert into revisions (tenant_id, id, ruleset, version, dialect, ruleset_text, ruleset_hash, contract_bundle_text,
       contract_bundle_hash, source, parents, description, rule_count, note, uploaded_by, uploaded_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
    [
      revision.tenant,
      revision.id,
      revision.ruleset,
      revision.version,
      revision.dialect,
      revision.texts.ruleset,
      revision.hashes.ruleset,
      revision.texts.contract_bundle,
      revision.hashes.contract_bundle,
      revision.source,
      JSON.stringify(revision.parents),
      revision.description,
      revision.ruleCount,
      revision.note,
      revision.uploadedBy,
      revision.uploadedAt,
    ],
  )
}

const columns = `r.id, r.ruleset, r.version, r.dialect,
  jsonb_build_object('ruleset', r.ruleset_hash, 'contract_bundle', r.contract_bundle_hash) as hashes,
  jsonb_build_object('ruleset', octet_length(r.ruleset_text), 'contract_bundle', octet_length(r.contract_bundle_text)) as bytes,
  r.rule_count as "ruleCount", r.description, r.note, r.parents, r.uploaded_by as "uploadedBy", p.email as "uploadedByEmail",
  r.uploaded_at as "uploadedAt",
  array(select c.environment from current_rollouts as c
          join rollouts as o on o.tenant_id = c.tenant_id and o.id = c.rollout_id
         where c.tenant_id = r.tenant_id and c.ruleset = r.ruleset and o.revision_id = r.id
         order by c.environment) as "liveIn"`
const from = `revisions as r left join principals as p on p.tenant_id = r.tenant_id and p.id = r.uploaded_by`
const texts = `jsonb_build_object('ruleset', r.ruleset_text, 'contract_bundle', r.contract_bundle_text) as texts,
  coalesce(r.source, case r.dialect when 'ruleset' then r.ruleset_text else r.contract_bundle_text end) as source`

/** The newest revision of every ruleset, by name. */
export function listLatestRevisions(
  db: Sql,
  tenant: string,
): Promise<(Revision & { readonly revisionCount: number })[]> {
  return db.query(
    `select ${columns}, s.latest_version as "revisionCount"
       from rulesets as s join ${from} on r.tenant_id = s.tenant_id and r.ruleset = s.name and r.version = s.latest_version
      where s.tenant_id = $1
      order by s.name`,
    [tenant],
  )
}

export async function findLatestRevision(db: Sql, tenant: string, ruleset: string): Promise<Revision | undefined> {
  const [row] = await db.query<Revision>(
    `select ${columns} from ${from} where r.tenant_id = $1 and r.ruleset = $2 order by r.version desc limit 1`,
    [tenant, ruleset],
  )
  return row
}

export async function findRevision(
  db: Sql,
  tenant: string,
  ruleset: string,
  version: number,
): Promise<Revision | undefined> {
  const [row] = await db.query<Revision>(
    `select ${columns} from ${from} where r.tenant_id = $1 and r.ruleset = $2 and r.version = $3`,
    [tenant, ruleset, version],
  )
  return row
}

export async function findRevisionWithTexts(
  db: Sql,
  tenant: string,
  ruleset: string,
  version: number,
): Promise<(Revision & RevisionTexts) | undefined> {
  const [row] = await db.query<Revision & RevisionTexts>(
    `select ${columns}, ${texts} from ${from} where r.tenant_id = $1 and r.ruleset = $2 and r.version = $3`,
    [tenant, ruleset, version],
  )
  return row
}

/** Newest first, below a version when one is given. */
export function listRevisions(
  db: Sql,
  tenant: string,
  ruleset: string,
  below: number | undefined,
  limit: number,
): Promise<Revision[]> {
  return db.query<Revision>(
    `select ${columns} from ${from}
      where r.tenant_id = $1 and r.ruleset = $2 and ($3::integer is null or r.version < $3)
      order by r.version desc limit $4`,
    [tenant, ruleset, below ?? null, limit],
  )
}

/** The newest revision of a parent, in the words it was written in. */
export async function findParent(
  db: Sql,
  tenant: string,
  name: string,
): Promise<
  { readonly name: string; readonly version: number; readonly hash: string; readonly text: string } | undefined
> {
  const [row] = await db.query<{ name: string; version: number; hash: string; text: string }>(
    `select r.ruleset as name, r.version,
            case r.dialect when 'ruleset' then r.ruleset_hash else r.contract_bundle_hash end as hash,
            case r.dialect when 'ruleset' then r.ruleset_text else r.contract_bundle_text end as text
       from revisions as r where r.tenant_id = $1 and r.ruleset = $2 order by r.version desc limit 1`,
    [tenant, name],
  )
  return row
}

/** The newest version of this name that is served in exactly these bytes. */
export async function findVersionOfHash(
  db: Sql,
  tenant: string,
  ruleset: string,
  hash: string,
): Promise<number | undefined> {
  const [row] = await db.query<{ version: number | null }>(
    `select max(r.version) as version from revisions as r
      where r.tenant_id = $1 and r.ruleset = $2 and (r.ruleset_hash = $3 or r.contract_bundle_hash = $3)`,
    [tenant, ruleset, hash],
  )
  return row?.version ?? undefined
}

export type KnownRevision = {
  readonly revisionId: string
  readonly ruleset: string
  readonly version: number
  readonly rendering: RulesetDialect
}

/** What an agent runs that reports this hash; of equal texts the newest. */
export async function findByHash(db: Sql, tenant: string, hash: string): Promise<KnownRevision | undefined> {
  const [row] = await db.query<KnownRevision>(
    `select r.id as "revisionId", r.ruleset, r.version,
            case when r.ruleset_hash = $2 then 'ruleset' else 'contract_bundle' end as rendering
       from revisions as r
      where r.tenant_id = $1 and (r.ruleset_hash = $2 or r.contract_bundle_hash = $2)
      order by r.uploaded_at desc, r.version desc limit 1`,
    [tenant, hash],
  )
  return row
}

export type LiveRow = {
  readonly ruleset: string
  readonly environment: string
  readonly version: number
  readonly rolloutId: string
  readonly rolledOutAt: Date
  readonly rolledOutBy: string
  readonly rolledOutByEmail: string | null
}

/** What is live where, of one ruleset or of all. */
export function listLive(db: Sql, tenant: string, ruleset?: string): Promise<LiveRow[]> {
  return db.query<LiveRow>(
    `select c.ruleset, c.environment, o.version, o.id as "rolloutId", o.made_at as "rolledOutAt",
            o.made_by as "rolledOutBy", p.email as "rolledOutByEmail"
       from current_rollouts as c
       join rollouts as o on o.tenant_id = c.tenant_id and o.id = c.rollout_id
       left join principals as p on p.tenant_id = o.tenant_id and p.id = o.made_by
      where c.tenant_id = $1 and ($2::text is null or c.ruleset = $2)
      order by c.ruleset, c.environment`,
    [tenant, ruleset ?? null],
  )
}
