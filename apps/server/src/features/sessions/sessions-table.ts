import type { Sql } from '../../kernel/db.ts'

export type NewSession = {
  readonly tenant: string
  readonly id: string
  readonly person: string
  readonly tokenDigest: string
  readonly madeAt: Date
  readonly expiresAt: Date
  readonly address: string
  readonly agent: string
  /** The second step of the sign-in was already taken: by a trusted device. */
  readonly verifiedAt?: Date
  /** The password was just typed; counts for those who have no factor only. */
  readonly steppedUpAt?: Date
}

export async function insertSession(tx: Sql, session: NewSession): Promise<void> {
  await tx.query(
    `insert into sessions (tenant_id, id, person_id, token_digest, made_at, last_seen_at, expires_at, address, agent,
                           verified_at, stepped_up_at)
     values ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9, $10)`,
    [
      session.tenant,
      session.id,
      session.person,
      session.tokenDigest,
      session.madeAt,
      session.expiresAt,
      session.address,
      session.agent,
      session.verifiedAt ?? null,
      session.steppedUpAt ?? null,
    ],
  )
}

export type LiveSession = {
  readonly tenant: string
  readonly id: string
  readonly person: string
  readonly email: string
  readonly name: string
  readonly role: string
  readonly lastSeenAt: Date
  readonly expiresAt: Date
  readonly verifiedAt: Date | null
  readonly steppedUpAt: Date | null
  readonly unspentAt: Date | null
  readonly isEnrolled: boolean
  readonly isRequired: boolean
  readonly hasPassword: boolean
}

/** Looks by digest, since the tenant is what we want to learn. Ended, idle and suspended ones are not found. */
export async function findLiveSession(
  db: Sql,
  digests: readonly string[],
  now: Date,
  idleMs: number,
): Promise<LiveSession | undefined> {
  const [row] = await db.query<LiveSession>(
    `select s.tenant_id as tenant, s.id, s.person_id as person, p.email, p.name, p.role,
            s.last_seen_at as "lastSeenAt", s.expires_at as "expiresAt",
            s.verified_at as "verifiedAt", s.stepped_up_at as "steppedUpAt", s.unspent_at as "unspentAt",
            p.password_hash is not null as "hasPassword",
            exists (select from factors as f
                     where f.tenant_id = s.tenant_id and f.person_id = s.person_id and f.confirmed_at is not null) as "isEnrolled",
            exists (select from settings as t
                     where t.tenant_id = s.tenant_id and t.name = 'mfa.required' and t.value = 'true'::jsonb)
              or exists (select from factor_required_roles as r where r.tenant_id = s.tenant_id and r.role = p.role) as "isRequired"
       from sessions as s join people as p on p.tenant_id = s.tenant_id and p.id = s.person_id
      where s.token_digest = any($1) and s.expires_at > $2 and s.last_seen_at > $3 and p.suspended_at is null`,
    [digests, now, new Date(now.getTime() - idleMs)],
  )
  return row
}

export async function touchSession(db: Sql, tenant: string, id: string, now: Date): Promise<void> {
  await db.query(
    `update sessions as s set last_seen_at = $3 where s.tenant_id = $1 and s.id = $2 and s.last_seen_at < $3`,
    [tenant, id, now],
  )
}

export type SessionRow = {
  readonly id: string
  readonly madeAt: Date
  readonly lastSeenAt: Date
  readonly expiresAt: Date
  readonly address: string
  readonly agent: string
}

export function listSessions(
  db: Sql,
  tenant: string,
  person: string,
  now: Date,
  idleMs: number,
): Promise<SessionRow[]> {
  return db.query<SessionRow>(
    `select s.id, s.made_at as "madeAt", s.last_seen_at as "lastSeenAt", s.expires_at as "expiresAt", s.address, s.agent
       from sessions as s
      where s.tenant_id = $1 and s.person_id = $2 and s.expires_at > $3 and s.last_seen_at > $4
      order by s.last_seen_at desc, s.id`,
    [tenant, person, now, new Date(now.getTime() - idleMs)],
  )
}

/** Ends one session of a person, or all but one; answers the ids that were ended. */
export async function deleteSessions(
  tx: Sql,
  tenant: string,
  person: string,
  which: { readonly only?: string; readonly except?: string },
): Promise<string[]> {
  const rows = await tx.query<{ id: string }>(
    `delete from sessions as s
      where s.tenant_id = $1 and s.person_id = $2 and ($3::uuid is null or s.id = $3) and ($4::uuid is null or s.id <> $4)
      returning s.id`,
    [tenant, person, which.only ?? null, which.except ?? null],
  )
  return rows.map(({ id }) => id)
}

/** Uses up the proof of a factor: of several acts that race for it, one gets it. */
export async function spendUnspent(db: Sql, tenant: string, id: string, since: Date): Promise<boolean> {
  const rows = await db.query(
    `update sessions as s set unspent_at = null
      where s.tenant_id = $1 and s.id = $2 and s.unspent_at > $3
      returning s.id`,
    [tenant, id, since],
  )
  return rows.length > 0
}

export type Proof = {
  readonly at: Date
  /** Whether a factor was proven, or only the password of somebody who has none. */
  readonly isFactor: boolean
  /** Replaces the token, so that one somebody saw before the proof is worth nothing after it. */
  readonly tokenDigest?: string
}

export async function stampProof(tx: Sql, tenant: string, id: string, proof: Proof): Promise<boolean> {
  const rows = await tx.query(
    `update sessions as s
        set stepped_up_at = $3,
            verified_at = case when $4 then coalesce(s.verified_at, $3) else s.verified_at end,
            unspent_at = case when $4 then $3 else s.unspent_at end,
            token_digest = coalesce($5, s.token_digest)
      where s.tenant_id = $1 and s.id = $2
      returning s.id`,
    [tenant, id, proof.at, proof.isFactor, proof.tokenDigest ?? null],
  )
  return rows.length > 0
}

/** What was proven with factors that are gone counts no more. */
export async function clearProofs(tx: Sql, tenant: string, person: string): Promise<void> {
  await tx.query(
    `update sessions as s set verified_at = null, stepped_up_at = null, unspent_at = null
      where s.tenant_id = $1 and s.person_id = $2`,
    [tenant, person],
  )
}

type SweepNeeds = { readonly db: Sql; readonly clock: { readonly now: () => Date }; readonly idleMs: number }

/** Removes what has ended by itself. */
export function sweepSessions({ db, clock, idleMs }: SweepNeeds): () => Promise<void> {
  return async () => {
    const now = clock.now()
    await db.query(`delete from sessions as s where s.expires_at <= $1 or s.last_seen_at <= $2`, [
      now,
      new Date(now.getTime() - idleMs),
    ])
  }
}

/** Which of these still hold: not past their end and used lately enough. */
export async function listLiveSessionIds(
  db: Sql,
  ids: readonly string[],
  now: Date,
  idleMs: number,
): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ id: string }>(
    `select s.id from sessions as s
      where s.id = any($1::uuid[]) and s.expires_at > $2 and s.last_seen_at > $3`,
    [ids, now, new Date(now.getTime() - idleMs)],
  )
  return new Set(rows.map(({ id }) => id))
}
