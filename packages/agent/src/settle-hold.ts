import type { Allow, Block, Hold } from '@countersign/pipeline'
import type { Fired } from '@countersign/rules'
import type { Answer } from './approvals.ts'
import type { FrozenCall } from './call.ts'
import type { CallRecord } from './call-record.ts'
import type { CallDecision } from './decide-call.ts'
import type { GovernNeeds } from './govern-needs.ts'
import { textOf } from './refusal.ts'

type Needs = Pick<GovernNeeds, 'ask' | 'workflow' | 'revision'>
type Held = { readonly call: FrozenCall; readonly record: CallRecord; readonly decision: CallDecision }

/** A rule asks at most once, but many rules may ask. */
const roundsMax = 32

/** A call that a rule wants a human to look at. */
export class HeldCall {
  /** What was said last. */
  answer: Answer | undefined
  readonly #needs: Needs
  readonly #held: Held

  constructor(needs: Needs, held: Held) {
    this.#needs = needs
    this.#held = held
  }

  /** Asks, and then goes on with the rules behind the one that asked, until nothing asks any more. */
  async settle(held: Hold): Promise<Allow | Block> {
    const { record, decision } = this.#held
    const approved = new Set<string>()
    let hold = held
    for (let round = 0; round < roundsMax; round += 1) {
      const { revision } = record
      const refused = await this.#askHuman(hold)
      if (refused) return refused
      record.revision = this.#needs.revision()
      const spoke = decision.last?.decidedBy
      const stays = await this.#approveStage(spoke)
      if (stays) return stays
      // What was approved was approved under other rules.
      if (record.revision.hash !== revision.hash) approved.clear()
      // A stage is no rule, though one may be called like the other.
      else if (spoke && spoke.source !== 'workflow') approved.add(spoke.name)
      const verdict = await decision.again(approved)
      if (verdict.is !== 'hold') return verdict
      hold = verdict
    }
    return { is: 'block', code: 'approval_unavailable', says: `The call was asked about ${roundsMax} times.` }
  }

  /** Leaving a stage is approved for the session and not for the call alone. Undefined when the call may go on. */
  async #approveStage(spoke: Fired | undefined): Promise<Block | undefined> {
    if (spoke?.source !== 'workflow') return undefined
    try {
      await this.#needs.workflow?.approve(this.#held.call.sessionId, spoke.name)
      return undefined
    } catch (cause) {
      const says = `${spoke.message} (approved, which could not be kept: ${textOf(cause)})`
      return { is: 'block', code: 'approval_unavailable', says, rule: spoke.name }
    }
  }

  /** Undefined when the call may go on. */
  async #askHuman({ says }: Hold): Promise<Block | undefined> {
    const { call, record, decision } = this.#held
    const { decidedBy: fired, hold } = decision.last ?? {}
    const { ask } = this.#needs
    if (!fired || !hold) return { is: 'block', code: 'failed', says: 'A rule asks without saying how.' }
    if (!ask) {
      const why = `Approval is required, and this guard has nobody to ask: ${says}`
      return { is: 'block', code: 'approval_unavailable', says: why, rule: fired.name }
    }
    record.write([{ ...record.facts('call_asked'), fired }], 'before')
    const { timeoutSeconds, timeoutAction: onTimeout } = hold
    const { tool, args, sessionId, signal } = call
    const { name: rule, source } = fired
    let answer: Answer
    try {
      answer = await ask({ tool, args, sessionId, message: says, rule, source, timeoutSeconds, onTimeout }, signal)
    } catch (cause) {
      // The caller gave up on it: that is his own end of the call and no verdict.
      if (signal?.aborted === true) throw cause
      return { is: 'block', code: 'approval_unavailable', says: `${says} (${textOf(cause)})`, rule }
    }
    this.answer = answer
    return this.#take(answer, fired, onTimeout)
  }

  #take(answer: Answer, fired: Fired, onTimeout: 'block' | 'allow'): Block | undefined {
    const { record } = this.#held
    const rule = fired.name
    switch (answer.is) {
      case 'approved':
        record.write([{ ...record.facts('call_approval_granted'), fired, reason: answer.reason }], 'after')
        return undefined
      case 'denied':
        record.write([{ ...record.facts('call_approval_blocked'), fired, reason: answer.reason }], 'after')
        return { is: 'block', code: 'approval_denied', says: answer.reason ?? fired.message, rule }
      case 'timed_out':
        record.write([{ ...record.facts('call_approval_timeout'), fired }], 'after')
        if (onTimeout === 'allow') return undefined
        return { is: 'block', code: 'approval_timed_out', says: `${fired.message} (nobody decided in time)`, rule }
      default:
        // Types forbid it; an approver written without them must still allow nothing by it.
        throw new TypeError('The answer is none of approved, denied and timed_out.')
    }
  }
}
