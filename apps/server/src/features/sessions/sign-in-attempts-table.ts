import type { Sql } from '../../kernel/db.ts'

/** A sign-in that was begun and not ended: at an identity provider, whose name is its way, or with a passkey. */
export type Attempt = { readonly id: string; readonly way: string; readonly sealed: string }

export async function insertAttempt(
  db: Sql,
  attempt: Attempt & { readonly stateDigest: string; readonly madeAt: Date; readonly expiresAt: Date },
): Promise<void> {
  await db.query(
    `insert into sign_in_attempts (id, state_digest, provider, sealed, made_at, expires_at)
     values ($1, $2, $3, $4, $5, $6)`,
    [attempt.id, attempt.stateDigest, attempt.way, attempt.sealed, attempt.madeAt, attempt.expiresAt],
  )
}

/** Takes it away, so that it is used once: of those who race for it, one gets it. */
export async function takeAttempt(db: Sql, stateDigests: readonly string[], now: Date): Promise<Attempt | undefined> {
  const [row] = await db.query<Attempt>(
    `delete from sign_in_attempts as a where a.state_digest = any($1) and a.expires_at > $2
     returning a.id, a.provider as way, a.sealed`,
    [stateDigests, now],
  )
  return row
}

type SweepNeeds = { readonly db: Sql; readonly clock: { readonly now: () => Date } }

export function sweepAttempts({ db, clock }: SweepNeeds): () => Promise<void> {
  return async () => {
    await db.query(`delete from sign_in_attempts as a where a.expires_at <= $1`, [clock.now()])
  }
}
