/** Why a call was blocked, for programs. `rule`, `limit` and `workflow` are the word of the documents, the others say what failed. */
export type BlockCode =
  | 'rule'
  | 'limit'
  | 'workflow'
  | 'approval_denied'
  | 'approval_timed_out'
  | 'approval_unavailable'
  | 'counters_unavailable'
  | 'not_recorded'
  | 'bad_call'
  | 'closed'
  | 'failed'

export type BlockFacts = {
  readonly code: BlockCode
  readonly tool: string
  readonly callId: string
  /** The rule, limit or stage that spoke, when one did. */
  readonly rule?: string | undefined
  readonly cause?: unknown
}

/** The call was not made. Its message is what the rule says, and is meant for the model as much as for people. */
export class CallBlocked extends Error {
  override readonly name: string = 'CallBlocked'
  readonly code: BlockCode
  readonly tool: string
  readonly callId: string
  readonly rule: string | undefined

  constructor(message: string, { code, tool, callId, rule, cause }: BlockFacts) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.tool = tool
    this.callId = callId
    this.rule = rule
  }
}

/** A human was asked and did not allow the call: said no, or said nothing in time. */
export class ApprovalDenied extends CallBlocked {
  override readonly name = 'ApprovalDenied'
  readonly approvalId: string | undefined
  readonly decidedBy: string | undefined

  constructor(
    message: string,
    facts: BlockFacts & { readonly approvalId?: string | undefined; readonly decidedBy?: string | undefined },
  ) {
    super(message, facts)
    this.approvalId = facts.approvalId
    this.decidedBy = facts.decidedBy
  }
}

/** The tool ran, and that it did could not be written down. Its result is here, so that it need not be run again. */
export class EndNotRecorded extends Error {
  override readonly name = 'EndNotRecorded'
  readonly tool: string
  readonly result: unknown

  constructor(tool: string, result: unknown, cause: unknown) {
    super(`${tool} ran, but its end could not be recorded.`, { cause })
    this.tool = tool
    this.result = result
  }
}

/** There is no guard: nothing it could enforce, or options that cannot be. */
export class GuardFailed extends Error {
  override readonly name = 'GuardFailed'
}

/** A revision that must not be enforced, and why; whatever was enforced before stays. */
export class RevisionRefused extends Error {
  override readonly name = 'RevisionRefused'
}
