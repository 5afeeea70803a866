import type { FactorKind } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'

// What proofs use up: codes, time steps, challenges; and the count of those that failed.

export type State = {
  readonly userHandle: string
  readonly preferredKind: FactorKind | null
  readonly failures: number
  readonly failedAt: Date | null
  readonly nextTryAt: Date | null
  readonly lockedUntil: Date | null
}

/** The person's state, held until the transaction ends: attempts that race are counted one after the other. */
export async function holdState(tx: Sql, tenant: string, person: string, newHandle: string): Promise<State> {
  await tx.query(
    `insert into factor_states (tenant_id, person_id, user_handle) values ($1, $2, $3) on conflict do nothing`,
    [tenant, person, newHandle],
  )
  const [row] = await tx.query<State>(
    `select s.user_handle as "userHandle", s.preferred_kind as "preferredKind", s.failures, s.failed_at as "failedAt",
            s.next_try_at as "nextTryAt", s.locked_until as "lockedUntil"
       from factor_states as s where s.tenant_id = $1 and s.person_id = $2 for update`,
    [tenant, person],
  )
  if (!row) throw new Error('The state of a person that does not exist any more')
  return row
}

export async function readState(db: Sql, tenant: string, person: string): Promise<State | undefined> {
  const [row] = await db.query<State>(
    `select s.user_handle as "userHandle", s.preferred_kind as "preferredKind", s.failures, s.failed_at as "failedAt",
            s.next_try_at as "nextTryAt", s.locked_until as "lockedUntil"
       from factor_states as s where s.tenant_id = $1 and s.person_id = $2`,
    [tenant, person],
  )
  return row
}

export async function writeFailures(
  tx: Sql,
  tenant: string,
  person: string,
  state: Pick<State, 'failures' | 'failedAt' | 'nextTryAt' | 'lockedUntil'>,
): Promise<void> {
  await tx.query(
    `update factor_states as s set failures = $3, failed_at = $4, next_try_at = $5, locked_until = $6
      where s.tenant_id = $1 and s.person_id = $2`,
    [tenant, person, state.failures, state.failedAt, state.nextTryAt, state.lockedUntil],
  )
}

/** Null once the person has taken note. `by` is null for the command on the server's machine. */
export async function writeReset(
  tx: Sql,
  tenant: string,
  person: string,
  reset: { readonly at: Date; readonly by: string | null } | null,
): Promise<void> {
  await tx.query(
    `update factor_states as s set reset_at = $3, reset_by = $4 where s.tenant_id = $1 and s.person_id = $2`,
    [tenant, person, reset?.at ?? null, reset?.by ?? null],
  )
}

export async function readReset(
  db: Sql,
  tenant: string,
  person: string,
): Promise<{ readonly at: Date; readonly by: string | null } | null> {
  const [row] = await db.query<{ at: Date; by: string | null }>(
    `select s.reset_at as at, p.email as by
       from factor_states as s left join people as p on p.tenant_id = s.tenant_id and p.id = s.reset_by
      where s.tenant_id = $1 and s.person_id = $2 and s.reset_at is not null`,
    [tenant, person],
  )
  return row ?? null
}

export async function writePreferred(tx: Sql, tenant: string, person: string, kind: FactorKind | null): Promise<void> {
  await tx.query(`update factor_states as s set preferred_kind = $3 where s.tenant_id = $1 and s.person_id = $2`, [
    tenant,
    person,
    kind,
  ])
}

/** Uses up a time step of every authenticator app of a person; false when it was used before. */
export async function useStep(tx: Sql, tenant: string, person: string, step: number, at: Date): Promise<boolean> {
  await tx.query(`delete from totp_steps as s where s.tenant_id = $1 and s.person_id = $2 and s.step < $3`, [
    tenant,
    person,
    step - 20,
  ])
  const rows = await tx.query(
    `insert into totp_steps (tenant_id, person_id, step, used_at) values ($1, $2, $3, $4)
     on conflict do nothing returning step`,
    [tenant, person, step, at],
  )
  return rows.length > 0
}

export async function replaceBackupCodes(
  tx: Sql,
  tenant: string,
  person: string,
  digests: readonly string[],
  at: Date,
): Promise<void> {
  await tx.query(`delete from backup_codes as c where c.tenant_id = $1 and c.person_id = $2`, [tenant, person])
  await tx.query(
    `insert into backup_codes (tenant_id, person_id, digest, made_at) select $1, $2, unnest($3::text[]), $4`,
    [tenant, person, digests, at],
  )
}

export async function useBackupCode(
  tx: Sql,
  tenant: string,
  person: string,
  digests: readonly string[],
  at: Date,
): Promise<boolean> {
  const rows = await tx.query(
    `update backup_codes as c set used_at = $4
      where c.tenant_id = $1 and c.person_id = $2 and c.digest = any($3) and c.used_at is null
      returning c.digest`,
    [tenant, person, digests, at],
  )
  return rows.length > 0
}

export async function countBackupCodes(db: Sql, tenant: string, person: string) {
  const [row] = await db.query<{ total: number; unused: number; madeAt: Date | null; lastUsedAt: Date | null }>(
    `select count(*) as total, count(*) filter (where c.used_at is null) as unused, max(c.made_at) as "madeAt",
            max(c.used_at) as "lastUsedAt"
       from backup_codes as c where c.tenant_id = $1 and c.person_id = $2`,
    [tenant, person],
  )
  return row ?? { total: 0, unused: 0, madeAt: null, lastUsedAt: null }
}

export type Challenge = {
  readonly tenant: string
  readonly id: string
  readonly person: string
  readonly session: string
  readonly purpose: 'enroll' | 'verify' | 'countersign'
  readonly challenge: string
  readonly content: string | null
  readonly expiresAt: Date
}

/** Answers the number older clients know it by. */
export async function insertChallenge(tx: Sql, made: Challenge): Promise<number> {
  const [row] = await tx.query<{ no: number }>(
    `insert into passkey_challenges as c (tenant_id, id, person_id, session_id, purpose, challenge, content, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     returning c.wire_no as no`,
    [made.tenant, made.id, made.person, made.session, made.purpose, made.challenge, made.content, made.expiresAt],
  )
  if (!row) throw new Error('An insert that inserted nothing')
  return row.no
}

/** The id of a challenge of this session by the number older clients know it by. */
export async function findChallengeId(
  db: Sql,
  of: Pick<Challenge, 'tenant' | 'person' | 'session' | 'purpose'>,
  wireNo: number,
): Promise<string | undefined> {
  const [row] = await db.query<{ id: string }>(
    `select c.id from passkey_challenges as c
      where c.tenant_id = $1 and c.person_id = $2 and c.session_id = $3 and c.purpose = $4 and c.wire_no = $5`,
    [of.tenant, of.person, of.session, of.purpose, wireNo],
  )
  return row?.id
}

/** Takes a challenge: whoever comes second with the same answer finds none. */
export async function takeChallenge(
  tx: Sql,
  of: Pick<Challenge, 'tenant' | 'id' | 'person' | 'session' | 'purpose'>,
  now: Date,
): Promise<{ readonly challenge: string; readonly content: string | null } | undefined> {
  const [row] = await tx.query<{ challenge: string; content: string | null; expiresAt: Date }>(
    `delete from passkey_challenges as c
      where c.tenant_id = $1 and c.id = $2 and c.person_id = $3 and c.session_id = $4 and c.purpose = $5
      returning c.challenge, c.content, c.expires_at as "expiresAt"`,
    [of.tenant, of.id, of.person, of.session, of.purpose],
  )
  return row && row.expiresAt > now ? row : undefined
}

/** Removes what nobody answered. */
export async function sweepChallenges(db: Sql, now: Date): Promise<void> {
  await db.query(`delete from passkey_challenges as c where c.expires_at <= $1`, [now])
}
