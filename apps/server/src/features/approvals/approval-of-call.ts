import type { Clock } from '../../kernel/clock.ts'
import type { Sql } from '../../kernel/db.ts'
import type { CallApproval, ShownEvent } from '../events/index.ts'
import { type Approval, asOf, statusOf } from './approval.ts'
import { listApprovals } from './approvals-table.ts'
import { answers, approvalActions } from './match-fate.ts'

type Needs = { readonly db: Sql; readonly clock: Pick<Clock, 'now'> }

export type ApprovalOfCall = (tenant: string, call: readonly ShownEvent[]) => Promise<CallApproval | null>

/** The longest an approval may be open, and some minutes for events to arrive. */
const longestMs = (86_400 + 600) * 1000
const candidatesMax = 50

/** The approval that a reported call waited for. Neither names the other, so it is found by likeness, and that is said. */
export function approvalOfCall({ db, clock }: Needs): ApprovalOfCall {
  return async (tenant, call) => {
    const held = call.filter(({ verdict }) => approvalActions.has(verdict))
    const [first] = held.toSorted((a, b) => Date.parse(a.received_at) - Date.parse(b.received_at))
    if (!first) return null
    const received = Date.parse(first.received_at)
    const filter = {
      environment: first.environment,
      agent: first.agent_id,
      tool: first.tool,
      since: new Date(received - longestMs),
      until: new Date(received + 1),
    }
    const page = { order: 'newest', limit: candidatesMax } as const
    const now = clock.now()
    const found = (await listApprovals(db, tenant, filter, now, page)).map((approval) => asOf(approval, now))
    const session = call.find(({ session_id }) => session_id !== null)?.session_id ?? null
    const fitting = found.filter((one) => fits(one, held, session))
    const [nearest] = fitting
    if (!nearest) return null
    const isCertain = fitting.length === 1 && session !== null && nearest.sessionId === session
    const { settlement } = nearest
    return {
      id: nearest.id,
      status: statusOf(nearest),
      decided_by: settlement && settlement.status !== 'timed_out' ? settlement.by.label : null,
      asked_at: nearest.createdAt.toISOString(),
      decided_at: settlement?.at.toISOString() ?? null,
      is_certain: isCertain,
    }
  }
}

/** Not of another session, and not answered otherwise than the agent says it was. */
function fits(approval: Approval, held: readonly ShownEvent[], session: string | null): boolean {
  if (session !== null && approval.sessionId !== null && approval.sessionId !== session) return false
  const heard = held.map(({ verdict }) => verdict).filter((verdict) => verdict !== 'call_asked')
  const status = statusOf(approval)
  if (status === 'pending') return heard.length === 0
  return heard.length === 0 || heard.includes(answers[status])
}
