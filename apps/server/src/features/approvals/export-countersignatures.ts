import type { CountersignatureFile } from '@countersign/trail'
import type { Sql } from '../../kernel/db.ts'
import { notFound, Problem, problems } from '../../kernel/problem.ts'
import { proveEntry } from '../trail/index.ts'
import { findApproval } from './approvals-table.ts'
import { listVotes, type Vote } from './votes-table.ts'

/** `size`: under the signed checkpoint of so many entries, which somebody has kept; the newest unless told. */
type Wanted = { readonly proofs: boolean; readonly size?: number | undefined }

/** What an outsider needs to check who countersigned an approval, with no trust in this server. */
export function exportCountersignatures({ db }: { readonly db: Sql }) {
  const prove = proveEntry({ db })
  return async (tenant: string, id: string, { proofs: withProofs, size }: Wanted): Promise<CountersignatureFile> => {
    if (!(await findApproval(db, { tenant }, id))) throw notFound('approval')
    const votes = (await listVotes(db, tenant, id)).filter(({ countersignature }) => countersignature !== null)
    if (votes.length === 0)
      throw new Problem(problems.conflict, 'Nobody countersigned this approval, so there is nothing to verify.')
    const countersignatures = votes.flatMap(({ countersignature }) => (countersignature ? [countersignature] : []))
    if (!withProofs) return { countersigned_approval: 1, countersignatures }
    const proofs: { decision: string; registration: string }[] = []
    let under = size
    for (const vote of votes) {
      const proven = await proofsOf(tenant, id, vote, under)
      // All under one checkpoint, though another is signed meanwhile: whoever trusts that one can check all of them.
      under = proven.size
      proofs.push({ decision: proven.decision, registration: proven.registration })
    }
    return { countersigned_approval: 1, countersignatures, proofs }
  }

  async function proofsOf(tenant: string, id: string, { person, factor }: Vote, under: number | undefined) {
    const decision = await numberOf(
      `e.subject_kind = 'approval' and e.subject_id = $2 and e.actor_id = $3
       and e.act in ('approval.approved', 'approval.denied', 'approval.voted')`,
      [tenant, id, person],
    )
    const registration = await numberOf(
      `e.subject_kind = 'factor' and e.subject_id = $2 and e.actor_id = $3 and e.act = 'factor.added'`,
      [tenant, factor, person],
    )
    const { size, proof } = await prove(tenant, decision, under)
    return { size, decision: proof, registration: (await prove(tenant, registration, size)).proof }
  }

  async function numberOf(condition: string, values: readonly unknown[]): Promise<number> {
    const [row] = await db.query<{ number: number }>(
      `select s.number from trail_entries as e join trail_sequence as s on s.entry_id = e.id
        where e.tenant_id = $1 and ${condition} order by s.number desc limit 1`,
      values,
    )
    if (row) return row.number
    throw new Problem(problems.conflict, 'The trail has no number for this decision yet. Ask again in a second.')
  }
}
