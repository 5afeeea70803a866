import type { Sql } from '../../kernel/db.ts'
import type { Factor } from './factor.ts'

const columns = `f.tenant_id as tenant, f.id, f.wire_no as "wireNo", f.person_id as person, f.kind, f.label, f.made_at as "madeAt",
  f.confirmed_at as "confirmedAt", f.last_used_at as "lastUsedAt", f.sealed_secret as "sealedSecret",
  f.credential_id as "credentialId", f.public_key as "publicKey", f.algorithm, f.counter, f.transports,
  f.is_backed_up as "isBackedUp", f.cli_capable as "cliCapable", f.registration`

export function listFactors(db: Sql, tenant: string, person: string): Promise<Factor[]> {
  return db.query<Factor>(
    `select ${columns} from factors as f
      where f.tenant_id = $1 and f.person_id = $2 and f.confirmed_at is not null
      order by f.made_at, f.id`,
    [tenant, person],
  )
}

/** Also one that waits to be confirmed. */
export async function findFactor(db: Sql, tenant: string, person: string, id: string): Promise<Factor | undefined> {
  const [row] = await db.query<Factor>(
    `select ${columns} from factors as f where f.tenant_id = $1 and f.person_id = $2 and f.id = $3`,
    [tenant, person, id],
  )
  return row
}

/** By the number older clients know it by; also one that waits to be confirmed. */
export async function findFactorByNo(db: Sql, tenant: string, person: string, no: number): Promise<Factor | undefined> {
  const [row] = await db.query<Factor>(
    `select ${columns} from factors as f where f.tenant_id = $1 and f.person_id = $2 and f.wire_no = $3`,
    [tenant, person, no],
  )
  return row
}

export type NewFactor = Omit<Factor, 'wireNo' | 'lastUsedAt' | 'cliCapable'>

export async function insertFactor(tx: Sql, factor: NewFactor): Promise<void> {
  await tx.query(
    `insert into factors (tenant_id, id, person_id, kind, label, made_at, confirmed_at, sealed_secret, credential_id,
       public_key, algorithm, counter, transports, is_backed_up, registration)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
    [
      factor.tenant,
      factor.id,
      factor.person,
      factor.kind,
      factor.label,
      factor.madeAt,
      factor.confirmedAt,
      factor.sealedSecret,
      factor.credentialId,
      factor.publicKey,
      factor.algorithm,
      factor.counter,
      factor.transports,
      factor.isBackedUp,
      factor.registration === null ? null : JSON.stringify(factor.registration),
    ],
  )
}

/** An authenticator app that was begun and never confirmed makes room for the next attempt. */
export async function deleteUnconfirmed(tx: Sql, tenant: string, person: string): Promise<void> {
  await tx.query(`delete from factors as f where f.tenant_id = $1 and f.person_id = $2 and f.confirmed_at is null`, [
    tenant,
    person,
  ])
}

export async function confirmFactor(tx: Sql, tenant: string, id: string, at: Date, label?: string): Promise<boolean> {
  const rows = await tx.query(
    `update factors as f set confirmed_at = $3, last_used_at = $3, label = coalesce($4, f.label)
      where f.tenant_id = $1 and f.id = $2 and f.confirmed_at is null
      returning f.id`,
    [tenant, id, at, label ?? null],
  )
  return rows.length > 0
}

export async function noteUse(tx: Sql, tenant: string, id: string, at: Date): Promise<void> {
  await tx.query(`update factors as f set last_used_at = $3 where f.tenant_id = $1 and f.id = $2`, [tenant, id, at])
}

/** Whose a passkey is, whatever tenant: it is what somebody signs in with, before anybody knows who they are. */
export async function findPasskeyOwner(
  db: Sql,
  credentialId: string,
): Promise<
  { readonly tenant: string; readonly person: string; readonly userHandle: string; readonly factor: Factor } | undefined
> {
  const [row] = await db.query<Factor & { tenant: string; person: string; userHandle: string }>(
    `select ${columns}, f.tenant_id as tenant, f.person_id as person, s.user_handle as "userHandle"
       from factors as f join factor_states as s on s.tenant_id = f.tenant_id and s.person_id = f.person_id
      where f.credential_id = $1 and f.kind = 'passkey' and f.confirmed_at is not null`,
    [credentialId],
  )
  return row && { tenant: row.tenant, person: row.person, userHandle: row.userHandle, factor: row }
}

/** Moves a passkey's counter forward; false when it did not move, which a copied key would cause. */
export async function advanceCounter(tx: Sql, tenant: string, id: string, counter: number, at: Date): Promise<boolean> {
  const rows = await tx.query(
    `update factors as f set counter = $3, last_used_at = $4
      where f.tenant_id = $1 and f.id = $2 and (f.counter < $3 or (f.counter = 0 and $3 = 0))
      returning f.id`,
    [tenant, id, counter, at],
  )
  return rows.length > 0
}

export async function updateFactor(
  tx: Sql,
  tenant: string,
  person: string,
  id: string,
  change: { readonly label?: string | undefined; readonly cliCapable?: boolean | undefined },
): Promise<boolean> {
  const rows = await tx.query(
    `update factors as f set label = coalesce($4, f.label), cli_capable = coalesce($5, f.cli_capable)
      where f.tenant_id = $1 and f.person_id = $2 and f.id = $3 and f.confirmed_at is not null
      returning f.id`,
    [tenant, person, id, change.label ?? null, change.cliCapable ?? null],
  )
  return rows.length > 0
}

export async function deleteFactor(tx: Sql, tenant: string, person: string, id: string): Promise<Factor | undefined> {
  const [row] = await tx.query<Factor>(
    `delete from factors as f where f.tenant_id = $1 and f.person_id = $2 and f.id = $3 and f.confirmed_at is not null
      returning ${columns}`,
    [tenant, person, id],
  )
  return row
}

/** Everything that stands for a second factor of a person; answers how many factors there were. */
export async function deleteAllFactors(tx: Sql, tenant: string, person: string): Promise<number> {
  const of = `tenant_id = $1 and person_id = $2`
  const rows = await tx.query(`delete from factors where ${of} returning id`, [tenant, person])
  for (const table of ['backup_codes', 'trusted_devices', 'passkey_challenges'])
    await tx.query(`delete from ${table} where ${of}`, [tenant, person])
  return rows.length
}
