import type { Sql } from '../../kernel/db.ts'

export type Device = {
  readonly id: string
  readonly wireNo: number
  readonly label: string
  readonly address: string
  readonly madeAt: Date
  readonly lastUsedAt: Date | null
  readonly expiresAt: Date
  readonly tokenDigest: string
}

type NewDevice = Omit<Device, 'wireNo' | 'lastUsedAt'> & {
  readonly tenant: string
  readonly person: string
  readonly agentDigest: string
}

export async function insertDevice(tx: Sql, device: NewDevice): Promise<void> {
  await tx.query(
    `insert into trusted_devices (tenant_id, id, person_id, token_digest, agent_digest, label, address, made_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      device.tenant,
      device.id,
      device.person,
      device.tokenDigest,
      device.agentDigest,
      device.label,
      device.address,
      device.madeAt,
      device.expiresAt,
    ],
  )
}

/** Those that are trusted now: not past the end they were given, nor past the days that are allowed today. */
export function listDevices(db: Sql, tenant: string, person: string, now: Date, days: number): Promise<Device[]> {
  return db.query<Device>(
    `select d.id, d.wire_no as "wireNo", d.label, d.address, d.made_at as "madeAt", d.last_used_at as "lastUsedAt",
            least(d.expires_at, d.made_at + $4::int * interval '24 hours') as "expiresAt", d.token_digest as "tokenDigest"
       from trusted_devices as d
      where d.tenant_id = $1 and d.person_id = $2 and d.expires_at > $3 and d.made_at > $3::timestamptz - $4::int * interval '24 hours'
      order by d.made_at desc, d.id`,
    [tenant, person, now, days],
  )
}

/** Uses a trusted browser at sign-in: the token, the person and the user agent must all be those it was trusted with. */
export async function useDevice(
  tx: Sql,
  of: {
    readonly tenant: string
    readonly person: string
    readonly digests: readonly string[]
    readonly agentDigests: readonly string[]
    /** How long a browser is trusted, as it is today: a shorter time acts on those trusted already. */
    readonly days: number
  },
  now: Date,
): Promise<string | undefined> {
  const [row] = await tx.query<{ id: string }>(
    `update trusted_devices as d set last_used_at = $5
      where d.tenant_id = $1 and d.person_id = $2 and d.token_digest = any($3) and d.agent_digest = any($4) and d.expires_at > $5
        and d.made_at > $5::timestamptz - $6::int * interval '24 hours'
      returning d.id`,
    [of.tenant, of.person, of.digests, of.agentDigests, now, of.days],
  )
  return row?.id
}

/** Somebody's trusted browser whose token came from another one: it was copied, or the browser became another. */
export async function deleteDeviceElsewhere(
  tx: Sql,
  of: { readonly tenant: string; readonly person: string; readonly digests: readonly string[] },
): Promise<string | undefined> {
  const [row] = await tx.query<{ id: string }>(
    `delete from trusted_devices as d
      where d.tenant_id = $1 and d.person_id = $2 and d.token_digest = any($3) returning d.id`,
    [of.tenant, of.person, of.digests],
  )
  return row?.id
}

export async function deleteDevice(tx: Sql, tenant: string, person: string, id: string): Promise<boolean> {
  const rows = await tx.query(
    `delete from trusted_devices as d where d.tenant_id = $1 and d.person_id = $2 and d.id = $3 returning d.id`,
    [tenant, person, id],
  )
  return rows.length > 0
}

/** By the number older clients know it by. */
export async function findDeviceId(db: Sql, tenant: string, person: string, no: number): Promise<string | undefined> {
  const [row] = await db.query<{ id: string }>(
    `select d.id from trusted_devices as d where d.tenant_id = $1 and d.person_id = $2 and d.wire_no = $3`,
    [tenant, person, no],
  )
  return row?.id
}

export async function deleteDevices(tx: Sql, tenant: string, person: string): Promise<void> {
  await tx.query(`delete from trusted_devices as d where d.tenant_id = $1 and d.person_id = $2`, [tenant, person])
}

export async function sweepDevices(db: Sql, now: Date): Promise<void> {
  await db.query(`delete from trusted_devices as d where d.expires_at <= $1`, [now])
}
