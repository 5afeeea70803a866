import { writeSortedJson } from '../../kernel/json.ts'
import type { Events, StoredEvent } from '../events/index.ts'
import type { ReadReportedEvents } from './describe-approval.ts'
import { approvalActions, type ReportedEvent } from './match-fate.ts'

type Needs = { readonly events: Pick<Events, 'scope' | 'search'> }

/** Agents give the time themselves, and their clocks are off by this much at the most. */
const skewMs = 10 * 60_000
/** A call that was answered has long run by then. */
const afterwardsMs = 60 * 60_000
const asksMax = 200
const eventsMax = 500
const endings = ['call_allowed', 'call_executed', 'call_failed', 'call_blocked']

/** What an agent reported of one tool's calls that waited for a human, from when it asked until an hour after the answer. */
export function reportedEvents({ events }: Needs): ReadReportedEvents {
  return async ({ tenant, environment, agentId, tool, createdAt, deadline, settlement }) => {
    const since = new Date(createdAt.getTime() - skewMs).toISOString()
    const until = new Date((settlement?.at ?? deadline).getTime() + afterwardsMs).toISOString()
    const find = async (verdict: readonly string[], limit: number): Promise<readonly StoredEvent[]> => {
      const filter = { environment: [environment], agent: [agentId], tool: [tool], verdict, since, until }
      return (await events.search(await events.scope(tenant, filter), { limit })).events
    }
    const asked = await find([...approvalActions], asksMax)
    const calls = new Set(asked.map(({ callId }) => callId))
    const ended = calls.size === 0 ? [] : await find(endings, eventsMax)
    return [...asked, ...ended.filter(({ callId }) => calls.has(callId))].map(reported)
  }
}

function reported({ id, verdict, atMicros, receivedAt, callId, sessionId, details }: StoredEvent): ReportedEvent {
  const args = details['tool_args']
  return {
    id,
    action: verdict,
    at: new Date(Math.floor(atMicros / 1000)),
    receivedAt,
    callId,
    sessionId,
    args: args === undefined ? null : writeSortedJson(args),
  }
}
