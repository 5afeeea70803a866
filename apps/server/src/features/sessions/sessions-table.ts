import type { Sql } from '../../kernel/db.ts'
import { isActiveSql } from '../people/index.ts'
import type { GrantRow } from '../roles/index.ts'
import { type Channel, hasEnded, type ReadSessionLimits, type SessionLimits } from './session-limits.ts'

export type NewSession = {
  readonly tenant: string
  readonly id: string
  readonly person: string
  readonly tokenDigest: string
  readonly madeAt: Date
  readonly expiresAt: Date
  readonly address: string
  readonly agent: string
  readonly channel: Channel
  /** How the person signed in. */
  readonly credential: string
  readonly device: string | null
  /** The second step of the sign-in was already taken: by a trusted device, or before a command line was let in. */
  readonly verifiedAt?: Date | undefined
  /**
   * When a proof opened sharp acts: to a browser the password, which counts for those who have no factor only; to a command
   * line the fresh proof that whoever let it in had given.
   */
  readonly steppedUpAt?: Date | undefined
}

export async function insertSession(tx: Sql, session: NewSession): Promise<void> {
  await tx.query(
    `insert into sessions (tenant_id, id, person_id, token_digest, made_at, last_seen_at, expires_at, address, agent, channel, credential, device,
                           verified_at, stepped_up_at)
     values ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9, $10, $11, $12,
             case when $9 = 'cli' or $10 = 'passkey' or not exists (select from factors as f
                                    where f.tenant_id = $1 and f.person_id = $3 and f.confirmed_at is not null) then $13::timestamptz end)`,
    [
      session.tenant,
      session.id,
      session.person,
      session.tokenDigest,
      session.madeAt,
      session.expiresAt,
      session.address,
      session.agent,
      session.channel,
      session.credential,
      session.device,
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
  readonly channel: Channel
  readonly grants: readonly GrantRow[]
  readonly protectedEnvironments: readonly string[]
  readonly madeAt: Date
  readonly lastSeenAt: Date
  readonly expiresAt: Date
  readonly verifiedAt: Date | null
  readonly steppedUpAt: Date | null
  readonly unspentAt: Date | null
  readonly isEnrolled: boolean
  readonly isRequired: boolean
  readonly hasPassword: boolean
}

/**
 * Looks by digest, since the tenant is what we want to learn. Sessions of people who may not sign in are not found;
 * whether it has lasted too long is for the caller to see, by its tenant's limits.
 */
export async function findSession(db: Sql, digests: readonly string[], now: Date): Promise<LiveSession | undefined> {
  const [row] = await db.query<LiveSession>(
    `select s.tenant_id as tenant, s.id, s.person_id as person, p.email, p.name, s.channel,
            s.made_at as "madeAt", s.last_seen_at as "lastSeenAt", s.expires_at as "expiresAt",
            s.verified_at as "verifiedAt", s.stepped_up_at as "steppedUpAt", s.unspent_at as "unspentAt",
            p.password_hash is not null as "hasPassword",
            exists (select from factors as f
                     where f.tenant_id = s.tenant_id and f.person_id = s.person_id and f.confirmed_at is not null) as "isEnrolled",
            exists (select from settings as t
                     where t.tenant_id = s.tenant_id and t.name = 'mfa.required' and t.value = 'true'::jsonb)
              or exists (select from factor_required_roles as q join role_grants as h
                             on h.tenant_id = q.tenant_id and h.role = q.role and h.person_id = s.person_id
                          where q.tenant_id = s.tenant_id) as "isRequired",
            (select coalesce(jsonb_agg(jsonb_build_object('role', g.role, 'environment', g.environment, 'rack', g.rack, 'permissions', r.permissions)), '[]')
               from role_grants as g left join roles as r on r.tenant_id = g.tenant_id and r.name = g.role
              where g.tenant_id = s.tenant_id and g.person_id = s.person_id) as grants,
            (select coalesce(array_agg(e.name), '{}') from environments as e
              where e.tenant_id = s.tenant_id and e.is_protected) as "protectedEnvironments"
       from sessions as s join people as p on p.tenant_id = s.tenant_id and p.id = s.person_id
      where s.token_digest = any($1) and ${isActiveSql('p', '$2')}`,
    [digests, now],
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
  /** What older clients call it by. */
  readonly wireNo: number
  readonly channel: Channel
  readonly credential: string
  readonly device: string | null
  readonly madeAt: Date
  readonly lastSeenAt: Date
  readonly expiresAt: Date
  readonly address: string
  readonly agent: string
}

/** Those of a person that hold at this moment, the one used last first. */
export async function listSessions(
  db: Sql,
  tenant: string,
  person: string,
  now: Date,
  limits: SessionLimits,
): Promise<SessionRow[]> {
  const rows = await db.query<SessionRow>(
    `select s.id, s.wire_no as "wireNo", s.channel, s.credential, s.device, s.made_at as "madeAt", s.last_seen_at as "lastSeenAt",
            s.expires_at as "expiresAt", s.address, s.agent
       from sessions as s
      where s.tenant_id = $1 and s.person_id = $2
      order by s.last_seen_at desc, s.id`,
    [tenant, person],
  )
  return rows.filter((row) => !hasEnded(row, limits, now))
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
  /** Replaces a browser's token, so that one somebody saw before the proof is worth nothing after it. */
  readonly tokenDigest?: string
}

export async function stampProof(
  tx: Sql,
  tenant: string,
  id: string,
  proof: Proof,
): Promise<{ readonly expiresAt: Date; readonly channel: Channel } | undefined> {
  const [row] = await tx.query<{ expiresAt: Date; channel: Channel }>(
    `update sessions as s
        set stepped_up_at = $3,
            verified_at = case when $4 then coalesce(s.verified_at, $3) else s.verified_at end,
            unspent_at = case when $4 then $3 else s.unspent_at end,
            token_digest = case when s.channel = 'web' then coalesce($5, s.token_digest) else s.token_digest end
      where s.tenant_id = $1 and s.id = $2
      returning s.expires_at as "expiresAt", s.channel`,
    [tenant, id, proof.at, proof.isFactor, proof.tokenDigest ?? null],
  )
  return row
}

/** The end of a browser's session whose token is another from now on; nothing for a command line's. */
export async function replaceToken(
  tx: Sql,
  tenant: string,
  id: string,
  tokenDigest: string,
): Promise<Date | undefined> {
  const [row] = await tx.query<{ expiresAt: Date }>(
    `update sessions as s set token_digest = $3
      where s.tenant_id = $1 and s.id = $2 and s.channel = 'web' returning s.expires_at as "expiresAt"`,
    [tenant, id, tokenDigest],
  )
  return row?.expiresAt
}

/** What was proven with factors that are gone counts no more. */
export async function clearProofs(tx: Sql, tenant: string, person: string): Promise<void> {
  await tx.query(
    `update sessions as s set verified_at = null, stepped_up_at = null, unspent_at = null
      where s.tenant_id = $1 and s.person_id = $2`,
    [tenant, person],
  )
}

type SweepNeeds = {
  readonly db: Sql
  readonly clock: { readonly now: () => Date }
  readonly limitsOf: ReadSessionLimits
}

/** Removes what has ended by itself. */
export function sweepSessions({ db, clock, limitsOf }: SweepNeeds): () => Promise<void> {
  return async () => {
    const now = clock.now()
    const tenants = await db.query<{ tenant: string }>(`select distinct s.tenant_id as tenant from sessions as s`)
    for (const { tenant } of tenants) {
      const { idleMs, webMs, cliMs } = await limitsOf(tenant)
      const before = (ms: number): Date => new Date(now.getTime() - ms)
      await db.query(
        `delete from sessions as s
          where s.tenant_id = $1
            and (s.expires_at <= $2
              or (s.channel = 'web' and (s.last_seen_at <= $3 or s.made_at <= $4))
              or (s.channel = 'cli' and s.made_at <= $5))`,
        [tenant, now, before(idleMs), before(webMs), before(cliMs)],
      )
    }
  }
}

type LiveNeeds = SweepNeeds

/** Which of these still hold: of people who may be signed in, not past their end and used lately enough. */
export function listLiveSessionIds({ db, clock, limitsOf }: LiveNeeds) {
  return async (ids: readonly string[]): Promise<ReadonlySet<string>> => {
    const now = clock.now()
    const rows = await db.query<SessionRow & { readonly tenant: string }>(
      `select s.tenant_id as tenant, s.id, s.channel, s.made_at as "madeAt", s.last_seen_at as "lastSeenAt",
              s.expires_at as "expiresAt"
         from sessions as s join people as p on p.tenant_id = s.tenant_id and p.id = s.person_id
        where s.id = any($1::uuid[]) and ${isActiveSql('p', '$2')}`,
      [ids, now],
    )
    const live = new Set<string>()
    for (const row of rows) if (!hasEnded(row, await limitsOf(row.tenant), now)) live.add(row.id)
    return live
  }
}

type CountNeeds = SweepNeeds

/** How many sessions each person of a tenant has at this moment. */
export function countSessions({ db, clock, limitsOf }: CountNeeds) {
  return async (tenant: string): Promise<ReadonlyMap<string, number>> => {
    const limits = await limitsOf(tenant)
    const rows = await db.query<SessionRow & { readonly person: string }>(
      `select s.person_id as person, s.channel, s.made_at as "madeAt", s.last_seen_at as "lastSeenAt",
              s.expires_at as "expiresAt"
         from sessions as s where s.tenant_id = $1`,
      [tenant],
    )
    const counts = new Map<string, number>()
    for (const row of rows)
      if (!hasEnded(row, limits, clock.now())) counts.set(row.person, (counts.get(row.person) ?? 0) + 1)
    return counts
  }
}

/** The number older command lines know a session by; the id comes from us, not from a request. */
export async function findWireNo(db: Sql, id: string): Promise<number> {
  const [row] = await db.query<{ no: number }>(`select s.wire_no as no from sessions as s where s.id = $1`, [id])
  return row?.no ?? 0
}
