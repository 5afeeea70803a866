import type { Sql } from '../../kernel/db.ts'

export type CliSignIn = {
  readonly id: string
  readonly userCode: string
  readonly device: string
  readonly address: string
  readonly agent: string
  readonly madeAt: Date
  readonly expiresAt: Date
  readonly tenant: string | null
  readonly person: string | null
  readonly isApproved: boolean | null
  readonly verifiedAt: Date | null
  readonly decidedAt: Date | null
}

const columns = `c.id, c.user_code as "userCode", c.device, c.address, c.agent, c.made_at as "madeAt",
  c.expires_at as "expiresAt", c.tenant_id as tenant, c.person_id as person, c.is_approved as "isApproved",
  c.verified_at as "verifiedAt", c.decided_at as "decidedAt"`

type New = Pick<CliSignIn, 'id' | 'userCode' | 'device' | 'address' | 'agent' | 'madeAt' | 'expiresAt'> & {
  readonly stateDigest: string
  readonly verifierDigest: string
  readonly userCodeDigest: string
}

export async function insertCliSignIn(db: Sql, one: New): Promise<void> {
  await db.query(
    `insert into cli_sign_ins (id, state_digest, verifier_digest, user_code, user_code_digest, device, address, agent, made_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      one.id,
      one.stateDigest,
      one.verifierDigest,
      one.userCode,
      one.userCodeDigest,
      one.device,
      one.address,
      one.agent,
      one.madeAt,
      one.expiresAt,
    ],
  )
}

/** What waits under a code that a person typed or followed. */
export async function findWaiting(db: Sql, digests: readonly string[], now: Date): Promise<CliSignIn | undefined> {
  const [row] = await db.query<CliSignIn>(
    `select ${columns} from cli_sign_ins as c
      where c.user_code_digest = any($1) and c.expires_at > $2 and c.decided_at is null`,
    [digests, now],
  )
  return row
}

export type CliDecision = {
  readonly tenant: string
  readonly person: string
  readonly isApproved: boolean
  readonly verifiedAt: Date | null
  readonly at: Date
}

/** Of those who race to decide it, one does. */
export async function decideWaiting(tx: Sql, id: string, decision: CliDecision): Promise<boolean> {
  const rows = await tx.query(
    `update cli_sign_ins as c
        set tenant_id = $2, person_id = $3, is_approved = $4, verified_at = $5, decided_at = $6
      where c.id = $1 and c.decided_at is null and c.expires_at > $6 returning c.id`,
    [id, decision.tenant, decision.person, decision.isApproved, decision.verifiedAt, decision.at],
  )
  return rows.length > 0
}

type Presented = { readonly state: readonly string[]; readonly verifier: readonly string[] }

export async function findPresented(
  db: Sql,
  { state, verifier }: Presented,
  now: Date,
): Promise<CliSignIn | undefined> {
  const [row] = await db.query<CliSignIn>(
    `select ${columns} from cli_sign_ins as c
      where c.state_digest = any($1) and c.verifier_digest = any($2) and c.expires_at > $3`,
    [state, verifier, now],
  )
  return row
}

/** Without the other half it tells no more than whether one waits; only a page where a person decides may be shown for it. */
export async function findByState(db: Sql, digests: readonly string[], now: Date): Promise<CliSignIn | undefined> {
  const [row] = await db.query<CliSignIn>(
    `select ${columns} from cli_sign_ins as c where c.state_digest = any($1) and c.expires_at > $2`,
    [digests, now],
  )
  return row
}

/** Takes a decided one away: it is used once, whatever was decided. */
export async function takeDecided(tx: Sql, id: string, now: Date): Promise<CliSignIn | undefined> {
  const [row] = await tx.query<CliSignIn>(
    `delete from cli_sign_ins as c where c.id = $1 and c.decided_at is not null and c.expires_at > $2 returning ${columns}`,
    [id, now],
  )
  return row
}

type SweepNeeds = { readonly db: Sql; readonly clock: { readonly now: () => Date } }

export function sweepCliSignIns({ db, clock }: SweepNeeds): () => Promise<void> {
  return async () => {
    await db.query(`delete from cli_sign_ins as c where c.expires_at <= $1`, [clock.now()])
  }
}
