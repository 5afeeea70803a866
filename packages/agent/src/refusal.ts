import type { Block, Challenge, Hold } from '@countersign/pipeline'
import type { Answer } from './approvals.ts'
import type { FrozenCall } from './call.ts'
import { ApprovalDenied, type BlockCode, CallBlocked, EndNotRecorded } from './errors.ts'

/** What a caller gets for a verdict that did not let his call through. */
export function refusalOf(
  verdict: Block | Challenge | Hold,
  call: FrozenCall,
  answer: Answer | undefined,
): CallBlocked {
  const { tool, callId } = call
  const code = ('code' in verdict ? verdict.code : 'failed') as BlockCode
  const facts = { code, tool, callId, rule: 'rule' in verdict ? verdict.rule : undefined }
  if (code !== 'approval_denied' && code !== 'approval_timed_out') return new CallBlocked(verdict.says, facts)
  const by = answer && 'by' in answer ? answer.by : undefined
  return new ApprovalDenied(verdict.says, { ...facts, approvalId: answer?.approvalId, decidedBy: by })
}

/** What a caller gets for a failure: the tool's own error as it is, everything else as a blocked call. */
export function failureOf(cause: unknown, { tool, callId, signal }: FrozenCall): Error {
  if (cause instanceof ToolThrew) return cause.thrown as Error
  if (cause instanceof EndNotRecorded) return cause
  if (signal?.aborted === true) return asError(signal.reason)
  const facts = { tool, callId, cause: cause instanceof NotRecorded ? cause.cause : cause }
  if (cause instanceof NotRecorded) {
    return new CallBlocked(`The call cannot be recorded, so it is not made: ${textOf(cause.cause)}`, {
      ...facts,
      code: 'not_recorded',
    })
  }
  return new CallBlocked(`The call could not be judged: ${textOf(cause)}`, { ...facts, code: 'failed' })
}

/** Tells the tool's own failure from ours. */
export class ToolThrew extends Error {
  readonly thrown: unknown
  constructor(thrown: unknown) {
    super('The tool failed.')
    this.thrown = thrown
  }
}

export class NotRecorded extends Error {
  constructor(cause: unknown) {
    super('The call cannot be recorded.', { cause })
  }
}

/** What the disk said, behind the words for it. */
export function causeOf(error: unknown): unknown {
  return error instanceof Error && (error instanceof NotRecorded || error instanceof EndNotRecorded)
    ? error.cause
    : error
}

export function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('The call was given up.', { cause: reason })
}
