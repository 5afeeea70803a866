import type { Sql } from '../../kernel/db.ts'

export type LinkPurpose = 'invitation' | 'password' | 'recovery'

export type LinkRow = {
  readonly tenant: string
  readonly person: string
  readonly purpose: LinkPurpose
  readonly expiresAt: Date
}

type NewLink = LinkRow & {
  readonly id: string
  readonly digest: string
  readonly by: string
  readonly madeAt: Date
}

/** Takes the place of the one before: only the newest link of a person works. */
export async function replaceLink(tx: Sql, link: NewLink): Promise<void> {
  await deleteLink(tx, link.tenant, link.person)
  await tx.query(
    `insert into person_links (tenant_id, id, person_id, purpose, digest, made_by, made_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [link.tenant, link.id, link.person, link.purpose, link.digest, link.by, link.madeAt, link.expiresAt],
  )
}

export async function deleteLink(tx: Sql, tenant: string, person: string): Promise<void> {
  await tx.query(`delete from person_links as l where l.tenant_id = $1 and l.person_id = $2`, [tenant, person])
}

/** Looks by digest, since the tenant is what we want to learn. */
export async function findLink(db: Sql, digests: readonly string[], now: Date): Promise<LinkRow | undefined> {
  const [row] = await db.query<LinkRow>(
    `select l.tenant_id as tenant, l.person_id as person, l.purpose, l.expires_at as "expiresAt"
       from person_links as l where l.digest = any($1) and l.expires_at > $2`,
    [digests, now],
  )
  return row
}

/** Of those who race for it, one gets it. */
export async function takeLink(tx: Sql, digests: readonly string[], now: Date): Promise<LinkRow | undefined> {
  const [row] = await tx.query<LinkRow>(
    `delete from person_links as l where l.digest = any($1) and l.expires_at > $2
     returning l.tenant_id as tenant, l.person_id as person, l.purpose, l.expires_at as "expiresAt"`,
    [digests, now],
  )
  return row
}
