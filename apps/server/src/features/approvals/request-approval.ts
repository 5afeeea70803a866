import type { Bus } from '../../kernel/bus.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Keyring } from '../../kernel/crypto.ts'
import type { Db } from '../../kernel/db.ts'
import { type JsonValue, NestedTooDeep, writeJson, writeSortedJson } from '../../kernel/json.ts'
import { escapeOddText, isOddText, redact, redactText } from '../redaction/index.ts'
import type { Agent, RequestFacts } from '../roles/index.ts'
import type { RecordAct } from '../trail/index.ts'
import type { Approval, Asked } from './approval.ts'
import { insertApproval } from './approvals-table.ts'
import { digestOf } from './digest.ts'
import type { PolicyOf } from './policies.ts'

/** What an agent asks for, as it came: nothing of it has been redacted yet. */
export type Question = {
  readonly tool: string
  readonly args: JsonValue
  readonly message: string
  readonly timeoutSeconds: number
  readonly onTimeout: 'block' | 'allow'
  readonly sessionId: string | null
  readonly claimedRule: string | null
  readonly claimedSource: string | null
}

export type RequestApproval = (who: Agent, question: Question, facts: RequestFacts) => Promise<Approval>

type Needs = {
  readonly db: Db
  readonly clock: Pick<Clock, 'now'>
  readonly newId: () => string
  readonly keyring: Pick<Keyring, 'digest'>
  readonly bus: Pick<Bus, 'announce'>
  readonly recordAct: RecordAct
  /** Throws when the agent or its key asks too often. */
  readonly limitRequests: (who: Agent) => Promise<void>
  /** Hash of the revision the server last saw this agent run. */
  readonly lastRevisionOf: (tenant: string, environment: string, agentId: string) => Promise<string | null>
  /** What a decision of this call needs. */
  readonly policyOf: PolicyOf
}

/** Holds a call for a human. What is stored, shown and announced is redacted here, before anything else sees it. */
export function requestApproval(needs: Needs): RequestApproval {
  const { db, clock, newId, keyring, bus, recordAct, limitRequests, lastRevisionOf, policyOf } = needs
  return async (who, question, facts) => {
    await limitRequests(who)
    const agentId = agentIdOf(who)
    const revision = await lastRevisionOf(who.tenant, who.environment, agentId)
    const createdAt = clock.now()
    const draft = {
      ...shown(question),
      tenant: who.tenant,
      id: newId(),
      environment: who.environment,
      agentId,
      keyId: who.keyId,
      keyPrefix: who.keyPrefix,
      argsSeal: keyring.digest('approval-arguments', `${who.tenant}\n${sealedText(question.args)}`),
      timeoutSeconds: question.timeoutSeconds,
      deadline: new Date(createdAt.getTime() + question.timeoutSeconds * 1000),
      onTimeout: question.onTimeout,
      revision,
      createdAt,
    }
    const policy = await policyOf(draft)
    const asked: Asked = { ...draft, policy, digest: digestOf(draft) }
    await db.inTx(async (tx) => {
      await insertApproval(tx, asked)
      await recordAct(tx, {
        tenant: asked.tenant,
        act: 'approval.requested',
        outcome: 'held',
        actor: { kind: 'agent_key', id: asked.keyId, credential: 'agent_key', key_id: asked.keyId },
        subject: { kind: 'approval', id: asked.id },
        request: facts,
        details: {
          digest: asked.digest,
          environment: asked.environment,
          agent_id: agentId,
          tool: asked.tool,
          deadline: asked.deadline.toISOString(),
          on_timeout: asked.onTimeout,
          revision,
        },
      })
      await bus.announce(tx, {
        topic: 'approval.created',
        tenant: asked.tenant,
        body: { approval_id: asked.id, environment: asked.environment, agent_id: agentId, tool: asked.tool },
      })
    })
    return { ...asked, settlement: null, lastPolledAt: null, keyLabel: null }
  }
}

/** The agent its header names, or else the key: nothing in a body says who is asking. */
function agentIdOf({ agentId, keyPrefix }: Agent): string {
  return agentId ?? `key:${keyPrefix}`
}

function shown(question: Question) {
  const args = redact(question.args)
  const texts = [question.tool, question.message, question.sessionId, question.claimedRule, question.claimedSource]
  return {
    tool: escapeOddText(question.tool),
    args: question.args === null ? null : writeJson(args.value),
    argsIsRedacted: args.isRedacted,
    argsIsEscaped: args.hasOddText || texts.some((text) => text !== null && isOddText(text)),
    message: redactText(question.message),
    sessionId: escaped(question.sessionId),
    claimedRule: escaped(question.claimedRule),
    claimedSource: escaped(question.claimedSource),
  }
}

function escaped(text: string | null): string | null {
  return text === null ? null : escapeOddText(text)
}

/** Equal arguments have equal seals, in whatever order their members came. */
function sealedText(args: JsonValue): string {
  try {
    return writeSortedJson(args)
  } catch (cause) {
    if (!(cause instanceof NestedTooDeep)) throw cause
    return writeJson(args)
  }
}
