import {
  approvalDetail,
  approvalItem,
  approvalPolicies,
  approvalsPage,
  approvalsQuery,
  approvalWait,
  cancellationBody,
  countersignatureBody,
  countersignatureChallenge,
  countersignatureFile,
  countersignatureQuery,
  decisionBody,
  decisionsBody,
  decisionsResult,
  environmentName,
  idText,
  type Static,
  Type,
} from '@countersign/wire'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../../kernel/clock.ts'
import type { Sql } from '../../kernel/db.ts'
import { invalidInput } from '../../kernel/problem.ts'
import { type Person, type RequestFacts, type Route, route } from '../roles/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import type { Decider } from './decider.ts'
import type { Approvals } from './make-approvals.ts'
import { itemView } from './views.ts'

type Needs = {
  readonly db: Sql
  readonly clock: Pick<Clock, 'now'>
  readonly recordAct: RecordAct
  readonly approvals: Approvals
}

const params = Type.Object({ id: idText })
const environmentParams = Type.Object({ name: environmentName })

export function approvalRoutes({ db, clock, recordAct, approvals }: Needs): readonly Route[] {
  const { readApprovals, whatMayOfEach, describe, poll, decide, decideMany, cancel } = approvals
  const { countersign, policies, exportCountersignatures } = approvals
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
        const may = await whatMayOfEach(who, list.items, list.now)
        return {
          items: list.items.map((one, at) => ({ ...itemView(one, list.now), you_may: may[at] ?? null })),
          next_cursor: list.nextCursor,
          total: list.total,
          pending_total: list.pendingTotal,
          now: list.now.toISOString(),
        }
      },
    }),
    route({
      does: 'Show one approval: why it was held, how its like was decided, what became of it; with wait, when that changes',
      method: 'GET',
      path: '/approvals/:id',
      needs: 'approvals:read',
      params,
      query: approvalWait,
      answers: approvalDetail,
      handle: async ({ who, params: { id }, query: { wait = 0 }, reply }) => {
        if (wait > 0) await poll({ tenant: who.tenant }, id, { waitSeconds: wait, gone: goneOf(reply), isAgent: false })
        return describe(who, id)
      },
    }),
    route({
      does: 'Approve or deny a held call',
      method: 'POST',
      path: '/approvals/:id/decision',
      needs: 'approval:decide',
      params,
      body: decisionBody,
      answers: approvalItem,
      handle: async ({
        who,
        params: { id },
        body: { approve, reason = null, countersignature: signed },
        facts,
        request,
      }) => {
        const countersignature = signed && { challengeId: signed.challenge_id, credential: signed.credential }
        return itemView(
          await decide(person(who, facts, request), id, { approve, reason, countersignature }),
          clock.now(),
        )
      },
    }),
    route({
      does: 'Get what one’s passkey signs to countersign a decision',
      method: 'POST',
      path: '/approvals/:id/countersignature',
      needs: 'approval:decide',
      params,
      body: countersignatureBody,
      answers: countersignatureChallenge,
      handle: async ({ who, params: { id }, body: { approve, reason = null } }) => {
        const made = await countersign.begin(who, id, { approve, reason })
        return { challenge_id: made.id, content: made.content, options: { ...made.options } }
      },
    }),
    route({
      does: 'Export the countersignatures of an approval, to be verified without this server',
      method: 'GET',
      path: '/approvals/:id/countersignature',
      needs: 'approvals:read',
      params,
      query: countersignatureQuery,
      answers: countersignatureFile,
      handle: async ({ who, params: { id }, query: { proofs = true, size }, facts }) => {
        const file = await exportCountersignatures(who.tenant, id, { proofs, size })
        await recordAct(db, {
          ...actorOf(who),
          tenant: who.tenant,
          act: 'approval.exported',
          subject: { kind: 'approval', id },
          request: facts,
          details: { proofs },
        })
        return {
          ...file,
          countersignatures: [...file.countersignatures],
          ...(file.proofs && { proofs: [...file.proofs] }),
        } as Static<typeof countersignatureFile>
      },
    }),
    route({
      does: 'Tell what decisions need in an environment',
      method: 'GET',
      path: '/environments/:name/approval-policies',
      needs: 'approvals:read',
      params: environmentParams,
      answers: approvalPolicies,
      handle: async ({ who, params: { name } }) => ({ policies: await policies.read(who.tenant, name) }),
    }),
    route({
      does: 'Say what decisions need in an environment',
      method: 'PUT',
      path: '/environments/:name/approval-policies',
      needs: 'settings:write',
      factor: 'always',
      params: environmentParams,
      body: approvalPolicies,
      answers: approvalPolicies,
      handle: async ({ who, params: { name }, body, facts }) => {
        const rules = body.policies.map(({ rule }) => rule)
        if (new Set(rules).size !== rules.length)
          throw invalidInput('body.policies', 'Name each rule once, and the whole environment once.')
        return { policies: await policies.write(who, name, body.policies, facts) }
      },
    }),
    route({
      does: 'Approve or deny several held calls, each by itself',
      method: 'POST',
      path: '/approvals/decisions',
      needs: 'approval:decide',
      body: decisionsBody,
      answers: decisionsResult,
      handle: async ({ who, body: { decisions }, facts, request }) => ({
        results: await decideMany(
          person(who, facts, request),
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
      handle: async ({ who, params: { id }, body: { reason = null }, facts, request }) =>
        itemView(await cancel(person(who, facts, request), id, reason), clock.now()),
    }),
  ]
}

/** A page of ours sends a cookie, a program a header. */
function person(who: Person, facts: RequestFacts, { headers }: FastifyRequest): Decider {
  return { is: 'person', who, via: headers.authorization === undefined ? 'console' : 'api', facts }
}

function instantIn(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text)
}

/** Aborted when whoever waits has gone. */
function goneOf(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  return gone.signal
}
