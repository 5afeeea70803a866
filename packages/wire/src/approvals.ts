import { environmentName, idText, instant, nullable, pageOf, pageQuery, principalRef } from './list.ts'
import { type Static, Type } from './type.ts'

/** `pending` is the only state that changes. The agent wire says `timeout` for timed_out and `denied` for cancelled. */
export const approvalStatuses = ['pending', 'approved', 'denied', 'timed_out', 'cancelled'] as const
export const approvalStatus = Type.Enum(approvalStatuses)
export type ApprovalStatus = (typeof approvalStatuses)[number]

/** What the agent does by itself when nobody answers before the deadline. */
export const timeoutEffect = Type.Enum(['block', 'allow'])

export const approvalProof = Type.Enum(['session', 'step-up', 'countersignature'])

/** What a decision needs to count, as it was when the call was held. */
const policyFields = {
  proof: approvalProof,
  approvers: Type.Integer({ minimum: 1, maximum: 10, description: 'How many must approve; one who denies is enough' }),
  excludes_owner: Type.Boolean({
    description: 'Whoever made the key that asks may not approve, not even while nobody else can',
  }),
}
export const approvalPolicy = Type.Object(
  {
    rule: nullable(
      Type.String({ minLength: 1, maxLength: 200, description: 'Null for every rule of the environment' }),
    ),
    ...policyFields,
  },
  { additionalProperties: false },
)
export type ApprovalPolicy = Static<typeof approvalPolicy>
export const approvalPolicies = Type.Object(
  { policies: Type.Array(approvalPolicy, { maxItems: 100 }) },
  { additionalProperties: false },
)

const byOwner = Type.Boolean({
  description: 'By whoever made the key that asked: a denial, or an approval since nobody else could give it',
})

/** Who settled it, from where, how and why. Absent while pending. */
export const approvalDecision = Type.Object({
  by: principalRef,
  via: Type.String({ description: 'console, api, wire, key, system: the door, as we saw it' }),
  reason: nullable(Type.String()),
  at: instant,
  address: nullable(Type.String()),
  user_agent: nullable(Type.String()),
  claimed_by: nullable(Type.String({ description: 'Who a deciding key says it speaks for; a claim, not proof' })),
  by_owner: byOwner,
})

export const approvalItem = Type.Object({
  id: idText,
  status: approvalStatus,
  environment: environmentName,
  agent_id: Type.String(),
  key: Type.Object({ id: idText, prefix: Type.String(), label: nullable(Type.String()) }),
  session_id: nullable(Type.String()),
  tool: Type.String(),
  args_json: nullable(
    Type.String({
      description: 'The arguments, redacted, as JSON text: numbers that a double cannot hold keep their digits',
    }),
  ),
  args_is_redacted: Type.Boolean({ description: 'Something secret was masked before it was stored' }),
  args_is_escaped: Type.Boolean({ description: 'Characters that cannot be stored are shown as their escapes' }),
  message: Type.String(),
  timeout_seconds: Type.Integer(),
  deadline: instant,
  on_timeout: timeoutEffect,
  created_at: instant,
  settled_at: nullable(instant),
  decision: nullable(approvalDecision),
  last_polled_at: nullable(instant),
  policy: Type.Object(policyFields),
  is_orphaned: Type.Boolean({
    description: 'Nobody has ever asked for the answer: probably a request sent twice, whose twin is being waited for',
  }),
})
export type ApprovalItem = Static<typeof approvalItem>

/** The rule that held the call. Agents do not say it, so it is found in the revision they were last seen running. */
export const approvalWhy = Type.Object({
  source: Type.Enum(['derived', 'claimed', 'unknown'], {
    description: 'derived by us, claimed by the agent, or not to be found',
  }),
  sentence: Type.String({ description: 'How it was found, and how sure that is; show it' }),
  ruleset: nullable(Type.String()),
  version: nullable(Type.Integer()),
  revision: nullable(Type.String({ description: 'Hash of the revision the agent was last seen running' })),
  rules: Type.Array(
    Type.Object({
      id: Type.String(),
      message: Type.String(),
      condition: nullable(Type.String({ description: 'The condition, as YAML' })),
      tags: Type.Array(Type.String()),
    }),
    { description: 'One when it is clear, several when any of them could have asked' },
  ),
})

/** What became of it, from what the agent reported afterwards. */
export const approvalFate = Type.Object({
  outcome: Type.Enum(['succeeded', 'failed', 'blocked', 'not_run', 'running', 'unknown']),
  certainty: Type.Enum(['certain', 'likely', 'ambiguous', 'none']),
  sentence: Type.String({ description: 'The outcome and how sure it is, in words; show it' }),
  call_id: nullable(Type.String()),
  events: Type.Array(Type.Object({ id: Type.String(), action: Type.String(), at: instant })),
})

export const similarApprovals = Type.Object({
  counts: Type.Object({
    approved: Type.Integer(),
    denied: Type.Integer(),
    timed_out: Type.Integer(),
    cancelled: Type.Integer(),
  }),
  items: Type.Array(
    Type.Object({
      id: idText,
      status: approvalStatus,
      agent_id: Type.String(),
      created_at: instant,
      decision: nullable(approvalDecision),
      has_same_args: Type.Boolean(),
    }),
    { description: 'Settled ones of the same tool in the same environment, those with equal arguments first' },
  ),
})

const youMay = Type.Enum(['approve', 'deny', 'nothing'], {
  description: 'What the one who reads this may: approve or deny, deny only (the key is theirs), or neither',
})
export type YouMay = Static<typeof youMay>

/** Who could decide a pending call at this moment. */
const approvalDeciders = Type.Object({
  others: Type.Integer({ description: 'How many people could, besides those who made the key that asks' }),
  you_may: youMay,
  obstacle: nullable(
    Type.String({
      description: 'What keeps it from being decided, or should be known before, and the remedy; show it',
    }),
  ),
})

export const approvalDetail = Type.Object({
  ...approvalItem.properties,
  now: instant,
  digest: Type.String({ description: 'SHA-256 of digest_json: what a decision binds itself to' }),
  digest_json: Type.String({ description: 'The canonical JSON (RFC 8785) that was digested' }),
  why: approvalWhy,
  fate: approvalFate,
  similar: similarApprovals,
  deciders: nullable(approvalDeciders),
  votes: Type.Array(
    Type.Object({
      by: principalRef,
      approve: Type.Boolean(),
      reason: nullable(Type.String()),
      at: instant,
      proof: approvalProof,
      by_owner: byOwner,
    }),
    { description: 'What people said of it, in order; a key that decided is in decision alone' },
  ),
})
export type ApprovalDetail = Static<typeof approvalDetail>

export const approvalsQuery = Type.Object({
  ...pageQuery,
  status: Type.Optional(
    Type.Enum(['pending', 'approved', 'denied', 'timed_out', 'cancelled', 'settled'], {
      description: 'One state, or settled for all but pending; absent means all',
    }),
  ),
  environment: Type.Optional(environmentName),
  agent: Type.Optional(Type.String({ maxLength: 255 })),
  tool: Type.Optional(Type.String({ maxLength: 255 })),
  since: Type.Optional(instant),
  until: Type.Optional(instant),
  q: Type.Optional(Type.String({ maxLength: 200, description: 'Words in tool, agent, message, arguments or id' })),
})

export const listedApproval = Type.Object({
  ...approvalItem.properties,
  you_may: nullable(youMay),
})
export type ListedApproval = Static<typeof listedApproval>

/** Pending ones come soonest deadline first, all else newest first. `now` is the server's, for countdowns. */
export const approvalsPage = Type.Object({
  ...pageOf(listedApproval).properties,
  total: Type.Integer(),
  pending_total: Type.Integer({ description: 'Pending in the environment asked for, whatever the other filters' }),
  now: instant,
})
export type ApprovalsPage = Static<typeof approvalsPage>

const reason = Type.Optional(Type.String({ maxLength: 2000 }))

/** Seconds to wait for a vote, a decision or the end of its time; fewer when the server has to let go. */
export const approvalWait = Type.Object(
  { wait: Type.Optional(Type.Integer({ minimum: 0, maximum: 25 })) },
  { additionalProperties: false },
)

export const decisionBody = Type.Object(
  {
    approve: Type.Boolean(),
    reason,
    countersignature: Type.Optional(
      Type.Object(
        {
          challenge_id: idText,
          credential: Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true }),
        },
        { additionalProperties: false, description: 'The passkey’s answer to the challenge for this very decision' },
      ),
    ),
  },
  { additionalProperties: false },
)
export const countersignatureBody = Type.Object({ approve: Type.Boolean(), reason }, { additionalProperties: false })
export const countersignatureChallenge = Type.Object({
  challenge_id: idText,
  content: Type.String({ description: 'RFC 8785; the challenge is its SHA-256' }),
  options: Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true }),
})
export const countersignatureQuery = Type.Object({
  proofs: Type.Optional(Type.Boolean({ description: 'With the trail’s proofs; true unless told' })),
  size: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 2 ** 53,
      description: 'With proofs under the signed checkpoint of so many entries; under the newest unless told',
    }),
  ),
})
const assertionTexts = Type.Object({
  credential_id: Type.String(),
  client_data_json: Type.String(),
  authenticator_data: Type.String(),
  signature: Type.String(),
})
export const countersignatureFile = Type.Object({
  countersigned_approval: Type.Literal(1),
  countersignatures: Type.Array(
    Type.Object({
      content: Type.String(),
      assertion: assertionTexts,
      registration: Type.Object({ credential_id: Type.String(), public_key: Type.String() }),
    }),
  ),
  proofs: Type.Optional(Type.Array(Type.Object({ decision: Type.String(), registration: Type.String() }))),
})
export const cancellationBody = Type.Object({ reason }, { additionalProperties: false })

export const decisionsMax = 200
export const decisionsBody = Type.Object(
  {
    decisions: Type.Array(
      Type.Object({ id: idText, approve: Type.Boolean(), reason }, { additionalProperties: false }),
      { minItems: 1, maxItems: decisionsMax },
    ),
  },
  { additionalProperties: false },
)

/** One result for each decision, in the order they were sent; each was carried out, or refused, by itself. */
export const decisionsResult = Type.Object({
  results: Type.Array(
    Type.Object({
      id: idText,
      is_ok: Type.Boolean(),
      approval: nullable(approvalItem),
      problem: nullable(Type.Object({ status: Type.Integer(), code: Type.String(), detail: Type.String() })),
    }),
  ),
})
export type DecisionsResult = Static<typeof decisionsResult>
