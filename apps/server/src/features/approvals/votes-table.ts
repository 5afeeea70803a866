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
}

type NewVote = Omit<Vote, 'email'> & { readonly tenant: string; readonly approval: string }

/** Nothing when this person has voted before: nobody counts twice. */
export async function insertVote(tx: Sql, vote: NewVote): Promise<boolean> {
  const rows = await tx.query(
    `insert into approval_votes (tenant_id, approval_id, person_id, is_approval, reason, at, proof, factor_id, countersignature)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing returning person_id`,
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
    ],
  )
  return rows.length > 0
}

export function listVotes(db: Sql, tenant: string, approval: string): Promise<Vote[]> {
  return db.query<Vote>(
    `select v.person_id as person, p.email, v.is_approval as "isApproval", v.reason, v.at, v.proof, v.factor_id as factor,
            v.countersignature
       from approval_votes as v left join people as p on p.tenant_id = v.tenant_id and p.id = v.person_id
      where v.tenant_id = $1 and v.approval_id = $2
      order by v.at, v.person_id`,
    [tenant, approval],
  )
}

/** The person who made the key that asked; and the row is held, so that votes that race are counted one by one. */
export async function holdForVote(tx: Sql, tenant: string, approval: string): Promise<string | undefined> {
  const [row] = await tx.query<{ owner: string | null }>(
    `select (select k.made_by from agent_keys as k where k.tenant_id = a.tenant_id and k.id = a.key_id) as owner
       from approvals as a where a.tenant_id = $1 and a.id = $2 for update`,
    [tenant, approval],
  )
  return row?.owner ?? undefined
}
