import type { Countersignature } from '@countersign/trail'
import type { Sql } from '../../kernel/db.ts'
import type { Policy } from './approval.ts'

export type Vote = {
  readonly person: string
  readonly email: string | null
  readonly isApproval: boolean
  readonly reason: string | null
  readonly at: Date
  readonly proof: Policy['proof']
  readonly factor: string | null
  readonly countersignature: Countersignature | null
  /** Said by whoever made the key that asks, while nobody else could. */
  readonly byOwner: boolean
}

type NewVote = Omit<Vote, 'email'> & { readonly tenant: string; readonly approval: string }

/** Nothing when this person has voted before: nobody counts twice. */
export async function insertVote(tx: Sql, vote: NewVote): Promise<boolean> {
  const rows = await tx.query(
    `insert into approval_votes (tenant_id, approval_id, person_id, is_approval, reason, at, proof, factor_id, countersignature, by_owner)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing returning person_id`,
    [
      vote.tenant,
      vote.approval,
      vote.person,
      vote.isApproval,
      vote.reason,
      vote.at,
      vote.proof,
      vote.factor,
      vote.countersignature === null ? null : JSON.stringify(vote.countersignature),
      vote.byOwner,
    ],
  )
  return rows.length > 0
}

export function listVotes(db: Sql, tenant: string, approval: string): Promise<Vote[]> {
  return db.query<Vote>(
    `select v.person_id as person, p.email, v.is_approval as "isApproval", v.reason, v.at, v.proof, v.factor_id as factor,
            v.countersignature, v.by_owner as "byOwner"
       from approval_votes as v left join people as p on p.tenant_id = v.tenant_id and p.id = v.person_id
      where v.tenant_id = $1 and v.approval_id = $2
      order by v.at, v.person_id`,
    [tenant, approval],
  )
}

/** Holds the row, so that votes that race are counted one by one. */
export async function holdForVote(tx: Sql, tenant: string, approval: string): Promise<void> {
  await tx.query(`select a.id from approvals as a where a.tenant_id = $1 and a.id = $2 for update`, [tenant, approval])
}

/** People who answer for a key: who made it, or made the token that did, or answers for that token. */
export async function listOwners(db: Sql, tenant: string, key: string): Promise<readonly string[]> {
  const rows = await db.query<{ person: string }>(
    `select distinct unnest(array[k.made_by, t.owner_id, t.made_by]) as person
       from agent_keys as k left join api_tokens as t on t.tenant_id = k.tenant_id and t.id = k.made_by
      where k.tenant_id = $1 and k.id = $2`,
    [tenant, key],
  )
  return rows.map(({ person }) => person).filter((person) => person !== null)
}
