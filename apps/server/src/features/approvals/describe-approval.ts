import type { ApprovalDetail } from '@countersign/wire'
import type { Clock } from '../../kernel/clock.ts'
import type { Sql } from '../../kernel/db.ts'
import { readJson, writeSortedJson } from '../../kernel/json.ts'
import type { Caller } from '../roles/index.ts'
import type { Approval } from './approval.ts'
import { countTwins, findSimilar } from './approvals-table.ts'
import { deriveWhy, type RevisionText } from './derive-why.ts'
import { digestText } from './digest.ts'
import { fourEyesOn, obstacleIn, whatMay } from './four-eyes.ts'
import { matchFate, type ReportedEvent } from './match-fate.ts'
import type { ReadApproval } from './read-approval.ts'
import { itemView, similarView, votesView } from './views.ts'
import { listVotes, type Vote } from './votes-table.ts'

/** What the agent reported of calls that may be the one that was held. */
export type ReadReportedEvents = (approval: Approval) => Promise<readonly ReportedEvent[]>

type Needs = {
  readonly db: Sql
  readonly clock: Pick<Clock, 'now'>
  readonly readApproval: ReadApproval
  readonly revisionText: (tenant: string, hash: string) => Promise<RevisionText | undefined>
  readonly reportedEvents: ReadReportedEvents
}

export type DescribeApproval = (who: Caller, id: string) => Promise<ApprovalDetail>

const similarMax = 10

/** Everything an approver wants to know of one call: why it was held, how its like was decided, what became of it. */
export function describeApproval({ db, clock, readApproval, revisionText, reportedEvents }: Needs): DescribeApproval {
  const fateOf = async (approval: Approval, now: Date) => {
    const args = approval.args === null ? null : writeSortedJson(readJson(approval.args))
    const events = approval.settlement ? await reportedEvents(approval) : []
    return matchFate({ approval, args, events, twins: await countTwins(db, approval), now })
  }
  const decidersOf = async (who: Caller, approval: Approval, votes: readonly Vote[], now: Date) => {
    if (approval.settlement) return null
    const { environment, policy } = approval
    const eyes = await fourEyesOn(db, approval, now)
    const given = votes.filter(({ isApproval }) => isApproval).length
    return {
      others: eyes.others.length,
      you_may: whatMay(who, approval, eyes),
      obstacle: obstacleIn(eyes, { environment, policy, given }),
    }
  }
  return async (who, id) => {
    const { tenant } = who
    const approval = await readApproval({ tenant }, id)
    const votes = await listVotes(db, tenant, id)
    const now = clock.now()
    const { revision } = approval
    return {
      ...itemView(approval, now),
      now: now.toISOString(),
      digest: approval.digest,
      digest_json: digestText(approval),
      why: deriveWhy(approval, revision === null ? undefined : await revisionText(tenant, revision)),
      fate: await fateOf(approval, now),
      similar: similarView(await findSimilar(db, approval, now, similarMax)),
      deciders: await decidersOf(who, approval, votes, now),
      votes: votesView(votes),
    }
  }
}
