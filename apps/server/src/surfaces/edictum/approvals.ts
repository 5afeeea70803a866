import { type Static, Type } from '@countersign/wire'
import {
  type Approval,
  type DecideApproval,
  type Decider,
  type PollApproval,
  type Question,
  type ReadApprovals,
  type RequestApproval,
  type Sight,
  statusOf,
} from '../../features/approvals/index.ts'
import type { Fleet } from '../../features/fleet/index.ts'
import { type Principal, type Route, route } from '../../features/roles/index.ts'
import type { Clock } from '../../kernel/clock.ts'
import { isJsonObject, type JsonValue, needsExactNumbers, readJson } from '../../kernel/json.ts'
import { Problem, problems } from '../../kernel/problem.ts'

type Needs = {
  readonly request: RequestApproval
  readonly poll: PollApproval
  readonly decide: DecideApproval
  readonly readApprovals: ReadApprovals
  readonly noteEvidence: Fleet['noteEvidence']
  readonly clock: Pick<Clock, 'now'>
}

const text = (maxLength: number) => Type.Union([Type.String({ maxLength }), Type.Null()])

/** Unknown members are let through: newer clients send what we do not know yet (agent-api §5.1). */
const questionBody = Type.Object({
  tool_name: Type.String({ minLength: 1, maxLength: 255 }),
  message: Type.String({ maxLength: 10_000 }),
  tool_args: Type.Optional(Type.Union([Type.Object({}), Type.Null()])),
  timeout: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
  timeout_action: Type.Optional(Type.Union([Type.Enum(['block', 'deny', 'allow']), Type.Null()])),
  timeout_effect: Type.Optional(Type.Union([Type.Enum(['block', 'deny', 'allow']), Type.Null()])),
  session_id: Type.Optional(text(10_000)),
  rule_name: Type.Optional(text(255)),
  contract_name: Type.Optional(text(255)),
  decision_source: Type.Optional(text(255)),
})

const listQuery = Type.Object({
  status: Type.Optional(Type.Enum(['pending', 'approved', 'denied', 'timeout', 'rejected', 'timed_out'])),
  agent_id: Type.Optional(Type.String({ maxLength: 255 })),
  session_id: Type.Optional(Type.String({ maxLength: 10_000 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
  offset: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000, default: 0 })),
})

const params = Type.Object({ id: Type.String({ maxLength: 255 }) })
const sees = 'agent-key or approvals:read'

export function edictumApprovalRoutes(needs: Needs): {
  readonly both: readonly Route[]
  readonly v1: readonly Route[]
  readonly apiV1: readonly Route[]
} {
  const { request, poll, decide, readApprovals, noteEvidence, clock } = needs

  const list = (shape: (items: readonly object[]) => object, path: '/v1' | '/api/v1'): Route =>
    route({
      does: `List approvals, as ${path} tells them`,
      method: 'GET',
      path: '/approvals',
      needs: sees,
      query: listQuery,
      handle: async ({ who, query: { status, agent_id, session_id, limit = 100, offset = 0 } }) => {
        const { environment } = sightOf(who)
        const filter = { status: status && filterOf[status], environment, agent: agent_id, session: session_id }
        const { items } = await readApprovals(who.tenant, filter, { limit, offset, order: 'newest' })
        return shape(items.map(approvalOnWire))
      },
    })

  return {
    both: [
      route({
        does: 'Hold a call for a human',
        method: 'POST',
        path: '/approvals',
        needs: 'agent-key',
        status: 201,
        body: questionBody,
        handle: async ({ who, body, facts, request: { rawBody } }) => {
          const approval = await request(who, questionIn(body, rawBody), facts)
          const { tenant, environment, agentId } = approval
          const seen = { at: clock.now(), source: 'event', dialect: dialectIn(body), revisionHash: undefined } as const
          noteEvidence([{ tenant, environment, agentId, ...seen }])
          return approvalOnWire(approval)
        },
      }),
      route({
        does: 'Ask what was decided; with wait, as soon as it is',
        method: 'GET',
        path: '/approvals/:id',
        needs: sees,
        params,
        query: Type.Object({ wait: Type.Optional(Type.Number({ minimum: 0, maximum: 3600 })) }),
        handle: async ({ who, params: { id }, query: { wait = 0 }, reply }) => {
          reply.header('cache-control', 'no-store')
          const gone = new AbortController()
          reply.raw.once('close', () => gone.abort())
          const asking = { waitSeconds: wait, gone: gone.signal, isAgent: who.is === 'agent' }
          return approvalOnWire(await poll(sightOf(who), id, asking))
        },
      }),
      route({
        does: 'Approve or deny a held call',
        method: 'PUT',
        path: '/approvals/:id',
        needs: 'approval:decide',
        params,
        body: Type.Object({
          approved: Type.Boolean(),
          reason: Type.Optional(text(2000)),
          // Accepted for older scripts and not believed: the door tells which way a decision came.
          decided_via: Type.Optional(text(64)),
        }),
        handle: async ({ who, params: { id }, body: { approved, reason = null }, facts }) => {
          const decider: Decider = { is: 'person', who, via: 'api', facts }
          return approvalOnWire(await decide(decider, id, { approve: approved, reason }).catch(inOldWords))
        },
      }),
      route({
        does: 'Approve or deny a held call with a key made for that',
        method: 'POST',
        path: '/approvals/:id/decide',
        needs: 'agent-key or approval:decide',
        params,
        body: Type.Object({
          decision: Type.Enum(['approved', 'rejected', 'denied']),
          decided_by: Type.Optional(text(255)),
          decided_via: Type.Optional(text(64)),
          reason: Type.Optional(text(2000)),
        }),
        handle: async ({ who, params: { id }, body, facts }) => {
          const decision = { approve: body.decision === 'approved', reason: body.reason ?? null }
          const decider: Decider =
            who.is === 'agent'
              ? { is: 'key', who, claimedBy: claimIn(body), facts }
              : { is: 'person', who, via: 'api', facts }
          return approvalOnWire(await decide(decider, id, decision))
        },
      }),
    ],
    v1: [list((approvals) => ({ approvals }), '/v1')],
    apiV1: [list((approvals) => approvals, '/api/v1')],
  }
}

function sightOf(who: Principal): Sight {
  return who.is === 'agent' ? { tenant: who.tenant, environment: who.environment } : { tenant: who.tenant }
}

/** Both generations' words for one thing; the newer name wins. Out of range is brought into range, not refused. */
function questionIn(body: Static<typeof questionBody>, rawBody: Buffer | undefined): Question {
  const onTimeout = body.timeout_action ?? body.timeout_effect ?? 'block'
  return {
    tool: body.tool_name,
    args: argsIn(body, rawBody),
    message: body.message,
    timeoutSeconds: Math.min(86_400, Math.max(1, Math.ceil(body.timeout ?? 300))),
    onTimeout: onTimeout === 'allow' ? 'allow' : 'block',
    sessionId: body.session_id ?? null,
    claimedRule: body.rule_name ?? body.contract_name ?? null,
    claimedSource: body.decision_source ?? null,
  }
}

/** Each generation of clients reads one dialect of rulesets, and its word for the effect tells which (agent-api §4.4). */
function dialectIn({ timeout_action, timeout_effect }: Static<typeof questionBody>) {
  if (timeout_action !== undefined) return 'ruleset'
  return timeout_effect === undefined ? undefined : 'contract_bundle'
}

/** The body was read by JSON.parse, which rounds long numbers; only when there may be such is it read again. */
function argsIn({ tool_args }: Static<typeof questionBody>, rawBody: Buffer | undefined): JsonValue {
  if (tool_args === undefined || tool_args === null) return null
  if (rawBody === undefined || !needsExactNumbers(rawBody)) return tool_args as JsonValue
  const body = readJson(rawBody.toString('utf8'))
  return isJsonObject(body) ? (body['tool_args'] ?? null) : null
}

const filterOf = {
  pending: 'pending',
  approved: 'approved',
  denied: 'refused',
  rejected: 'refused',
  timeout: 'timed_out',
  timed_out: 'timed_out',
} as const

/** The four words that every released client understands (agent-api §5.2); a cancelled one is denied, with the reason. */
const wireStatus = {
  pending: 'pending',
  approved: 'approved',
  denied: 'denied',
  timed_out: 'timeout',
  cancelled: 'denied',
} as const

function approvalOnWire(approval: Approval) {
  const { settlement } = approval
  const status = statusOf(approval)
  const reason = settlement?.reason ?? null
  return {
    id: approval.id,
    status: wireStatus[status],
    agent_id: approval.agentId,
    tool_name: approval.tool,
    tool_args: approval.args === null ? null : readJson(approval.args),
    message: approval.message,
    env: approval.environment,
    timeout_seconds: approval.timeoutSeconds,
    timeout_effect: approval.onTimeout === 'allow' ? 'allow' : 'deny',
    timeout_action: approval.onTimeout,
    session_id: approval.sessionId,
    decision_source: approval.claimedSource,
    contract_name: approval.claimedRule,
    rule_name: approval.claimedRule,
    // Time decides nothing: the agent applies what was agreed for it.
    decided_by: settlement && status !== 'timed_out' ? settlement.by.label : null,
    decided_at: settlement?.at.toISOString() ?? null,
    decision_reason: reason,
    reason,
    decided_via: settlement?.via ?? null,
    created_at: approval.createdAt.toISOString(),
    expires_at: approval.deadline.toISOString(),
  }
}

/** Whom the holder of a deciding key says it speaks for, and where they said so. */
function claimIn({
  decided_by,
  decided_via,
}: {
  decided_by?: string | null
  decided_via?: string | null
}): string | null {
  const words = [decided_by, decided_via && `via ${decided_via}`].filter((word) => word !== undefined && word !== null)
  return words.length === 0 ? null : words.join(' ')
}

/** Older scripts know one answer for closed and for unknown (console §14.2). */
function inOldWords(cause: unknown): never {
  const isKnown =
    cause instanceof Problem && (cause.kind === problems.alreadyDecided || cause.kind === problems.notFound)
  throw isKnown ? new Problem(problems.alreadyDecided, 'Approval not found or already decided.', { cause }) : cause
}
