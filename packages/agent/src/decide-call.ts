import type { Allow, Block, Hold } from '@countersign/pipeline'
import { type Counters, decidePre, type Fired, type PreDecision, type WorkflowAnswer } from '@countersign/rules'
import type { FrozenCall } from './call.ts'
import type { CallRecord } from './call-record.ts'
import type { BlockCode } from './errors.ts'
import type { GovernNeeds } from './govern-needs.ts'
import { textOf } from './refusal.ts'
import type { Executions } from './session-counters.ts'

type Needs = Pick<GovernNeeds, 'reporter' | 'counters' | 'workflow' | 'env'>
type Decided = Allow | Block | Hold

export const allow: Allow = { is: 'allow' }
const none: ReadonlySet<string> = new Set()

/** What the rules and the workflow say to one call, and the reservation that keeps it true beside others of its session. */
export class CallDecision {
  last: PreDecision | undefined
  readonly #needs: Needs
  readonly #call: FrozenCall
  readonly #record: CallRecord
  #isReserved = false

  constructor(needs: Needs, call: FrozenCall, record: CallRecord) {
    this.#needs = needs
    this.#call = call
    this.#record = record
  }

  /** Counts the attempt and decides. */
  attempt(): Decided | Promise<Decided> {
    const { sessionId, tool } = this.#call
    try {
      const counted = this.#needs.counters.attempt(sessionId, tool)
      if (!(counted instanceof Promise)) return this.#decide(counted, none)
      return counted.then(
        (counters) => this.#decide(counters, none),
        (cause: unknown) => this.#countersAway(cause),
      )
    } catch (cause) {
      return this.#countersAway(cause)
    }
  }

  /** Decides anew as the rules are now, without those whose question a human has answered. */
  async again(approved: ReadonlySet<string>): Promise<Decided> {
    try {
      const counters = await this.#needs.counters.look(this.#call.sessionId, this.#call.tool)
      return await this.#decide(counters, approved)
    } catch (cause) {
      return this.#countersAway(cause)
    }
  }

  /** The call will not happen. */
  async release(): Promise<void> {
    if (!this.#isReserved) return
    this.#isReserved = false
    try {
      await this.#needs.counters.release(this.#call.sessionId, this.#call.tool)
    } catch {
      // Counted although it did not run: that errs on the side of the limit.
    }
  }

  /** A decision about these counters, and the reservation that makes it true for calls that run beside this one. */
  #decide(counters: Counters, approved: ReadonlySet<string>): Decided | Promise<Decided> {
    const decision = this.#judge(counters, approved)
    if (decision instanceof Promise) return decision.then((made) => this.#reserve(made, counters, approved))
    return this.#reserve(decision, counters, approved)
  }

  #reserve(decision: PreDecision, counters: Counters, approved: ReadonlySet<string>): Decided | Promise<Decided> {
    const { sessionId, tool } = this.#call
    if (decision.verdict !== 'allow') return verdictOf(decision)
    try {
      const reserved = this.#needs.counters.reserve(sessionId, tool)
      if (!(reserved instanceof Promise)) return this.#confirm(counters, reserved, approved)
      return reserved
        .then((before) => this.#confirm(counters, before, approved))
        .catch((cause: unknown) => this.#countersAway(cause))
    } catch (cause) {
      return this.#countersAway(cause)
    }
  }

  /** Whether what was decided still holds beside what was reserved meanwhile. */
  #confirm(counters: Counters, before: Executions, approved: ReadonlySet<string>): Decided | Promise<Decided> {
    const { tool } = this.#call
    this.#isReserved = true
    if (before.executions === counters.executions && countOf(before, tool) === countOf(counters, tool)) return allow
    // Another call of the session came in between; the limits must be asked about what is true now.
    const again = this.#judge({ ...counters, ...before }, approved)
    return again instanceof Promise ? again.then((made) => this.#confirmed(made)) : this.#confirmed(again)
  }

  #confirmed(again: PreDecision): Decided | Promise<Decided> {
    if (again.verdict === 'allow') return allow
    return this.release().then(() => verdictOf(again))
  }

  #judge(counters: Counters, approved: ReadonlySet<string>): PreDecision | Promise<PreDecision> {
    this.#record.counters = counters
    const { env, reporter, workflow } = this.#needs
    const { tool, args, principal, metadata, sessionId } = this.#call
    const call = { tool, args, principal, metadata, environment: reporter.environment }
    const { compiled } = this.#record.revision
    if (!workflow) return (this.last = decidePre(compiled, call, { counters, approved, env }))
    const decide = (answer: () => WorkflowAnswer): PreDecision =>
      decidePre(compiled, call, { counters, approved, env, workflow: answer })
    return workflow.decide(sessionId, call, decide).then(({ decision, step }) => {
      this.#record.moved(step)
      return (this.last = decision)
    })
  }

  #countersAway(cause: unknown): Block {
    this.last = undefined
    const says = `The session's counters cannot be had, so its limits cannot be kept: ${textOf(cause)}`
    return { is: 'block', code: 'counters_unavailable' satisfies BlockCode, says }
  }
}

function verdictOf({ verdict, decidedBy }: PreDecision): Block | Hold {
  const says = decidedBy?.message ?? 'The ruleset does not allow this call.'
  const rule = decidedBy?.name
  const named = rule === undefined ? {} : { rule }
  if (verdict === 'ask') return { is: 'hold', says, ...named }
  return { is: 'block', code: codeOf(decidedBy?.source), says, ...named }
}

function codeOf(source: Fired['source'] | undefined): BlockCode {
  if (source === 'attempt_limit' || source === 'operation_limit') return 'limit'
  return source === 'workflow' ? 'workflow' : 'rule'
}

function countOf({ perTool }: Pick<Counters, 'perTool'>, tool: string): number {
  if (perTool instanceof Map) return perTool.get(tool) ?? 0
  return (perTool as Readonly<Record<string, number>>)[tool] ?? 0
}
