import { sha256Hex } from '../../kernel/crypto.ts'
import { type JsonValue, readJson, writeSortedJson } from '../../kernel/json.ts'
import type { Asked } from './approval.ts'

/**
 * The canonical JSON (RFC 8785) of everything that was asked: what is shown is what is digested, and what a decision
 * binds itself to. A number that a double cannot hold, which RFC 8785 has no form for, stands as it was sent.
 */
export function digestText(asked: Omit<Asked, 'digest' | 'policy'>): string {
  const covered: JsonValue = {
    v: 1,
    tenant: asked.tenant,
    id: asked.id,
    agent: asked.agentId,
    environment: asked.environment,
    session: asked.sessionId,
    tool: asked.tool,
    args: asked.args === null ? null : readJson(asked.args),
    args_seal: asked.argsSeal,
    message: asked.message,
    deadline: asked.deadline.toISOString(),
    on_timeout: asked.onTimeout,
    revision: asked.revision,
  }
  // The arguments may be as deep as JSON may be, and stand one level down.
  return writeSortedJson(covered, -1)
}

export function digestOf(asked: Omit<Asked, 'digest' | 'policy'>): string {
  return sha256Hex(digestText(asked))
}
