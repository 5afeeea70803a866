import {
  approvalDetail,
  approvalItem,
  approvalsPage,
  approvalsQuery,
  cancellationBody,
  decisionBody,
  decisionsBody,
  decisionsResult,
  idText,
} from '@countersign/wire'
import { Type } from 'typebox'
import type { Clock } from '../../kernel/clock.ts'
import { type Person, type RequestFacts, type Route, route } from '../roles/index.ts'
import type { Decider } from './decider.ts'
import type { Approvals } from './make-approvals.ts'
import { itemView } from './views.ts'

type Needs = {
  readonly clock: Pick<Clock, 'now'>
  readonly approvals: Pick<Approvals, 'readApprovals' | 'describe' | 'decide' | 'decideMany' | 'cancel'>
}

const params = Type.Object({ id: idText })

export function approvalRoutes({ clock, approvals }: Needs): readonly Route[] {
  const { readApprovals, describe, decide, decideMany, cancel } = approvals
  return [
    route({
      does: 'List approvals',
      method: 'GET',
      path: '/approvals',
      needs: 'approvals:read',
      query: approvalsQuery,
      answers: approvalsPage,
      handle: async ({ who, query }) => {
        const { limit = 50, cursor, since, until, q: text, ...filter } = query
        const times = { since: instantIn(since), until: instantIn(until) }
        const list = await readApprovals(who.tenant, { ...filter, ...times, text }, { limit, cursor })
        return {
          items: list.items.map((approval) => itemView(approval, list.now)),
          next_cursor: list.nextCursor,
          total: list.total,
          pending_total: list.pendingTotal,
          now: list.now.toISOString(),
        }
      },
    }),
    route({
      does: 'Show one approval: why it was held, how its like was decided, what became of it',
      method: 'GET',
      path: '/approvals/:id',
      needs: 'approvals:read',
      params,
      answers: approvalDetail,
      handle: ({ who, params: { id } }) => describe(who.tenant, id),
    }),
    route({
      does: 'Approve or deny a held call',
      method: 'POST',
      path: '/approvals/:id/decision',
      needs: 'approval:decide',
      params,
      body: decisionBody,
      answers: approvalItem,
      handle: async ({ who, params: { id }, body: { approve, reason = null }, facts }) =>
        itemView(await decide(person(who, facts), id, { approve, reason }), clock.now()),
    }),
    route({
      does: 'Approve or deny several held calls, each by itself',
      method: 'POST',
      path: '/approvals/decisions',
      needs: 'approval:decide',
      body: decisionsBody,
      answers: decisionsResult,
      handle: async ({ who, body: { decisions }, facts }) => ({
        results: await decideMany(
          person(who, facts),
          decisions.map(({ id, approve, reason = null }) => ({ id, approve, reason })),
        ),
      }),
    }),
    route({
      does: 'Take an approval back before it is decided',
      method: 'POST',
      path: '/approvals/:id/cancellation',
      needs: 'approval:cancel',
      params,
      body: cancellationBody,
      answers: approvalItem,
      handle: async ({ who, params: { id }, body: { reason = null }, facts }) =>
        itemView(await cancel(person(who, facts), id, reason), clock.now()),
    }),
  ]
}

function person(who: Person, facts: RequestFacts): Decider {
  return { is: 'person', who, via: 'console', facts }
}

function instantIn(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text)
}
