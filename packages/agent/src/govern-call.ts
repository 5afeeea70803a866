import {
  type Allow,
  type Block,
  type Failed,
  govern,
  type Hold,
  type Outcome,
  type Stages,
} from '@countersign/pipeline'
import {
  type Counters,
  decidePost,
  decidePre,
  type Fired,
  type JsonObject,
  type PreDecision,
  sideEffectOf,
  type WorkflowAnswer,
} from '@countersign/rules'
import type { Answer, Ask } from './approvals.ts'
import type { FrozenCall } from './call.ts'
import { type BlockCode, type CallBlocked, EndNotRecorded } from './errors.ts'
import { type CallReport, type Reported, type Reporter, reportCall } from './event.ts'
import type { Clock } from './host.ts'
import { copyJson } from './json-copy.ts'
import { causeOf, failureOf, NotRecorded, refusalOf, ToolThrew, textOf } from './refusal.ts'
import type { Revision } from './revision.ts'
import type { Executions, SessionCounters } from './session-counters.ts'
import { looksFailed, outputOf } from './tool-result.ts'
import type { WorkflowGates, WorkflowStep } from './workflow-gates.ts'

export type GovernNeeds = {
  readonly reporter: Reporter
  readonly clock: Clock
  /** What is enforced at this moment. */
  readonly revision: () => Revision
  readonly counters: SessionCounters
  readonly ask: Ask | undefined
  /** The stages a session must go through; undefined when there are none. */
  readonly workflow: WorkflowGates | undefined
  /** Durable when it returns, as far as the spool promises; throws when it cannot. `before`: an effect may follow. */
  readonly record: (lines: readonly string[], when: 'before' | 'after') => void
  /** An event could not be recorded although its call was answered. */
  readonly recordLost: (cause: unknown) => void
  /** What a call that ran has proven could not be kept: the gates that wait for it stay closed. */
  readonly evidenceLost: (cause: unknown) => void
  readonly env: Readonly<Record<string, string>>
  readonly nextIndex: () => number
  readonly isClosed: () => boolean
}

export type Execution<Result> = {
  readonly run: (args: JsonObject) => Result | Promise<Result>
  readonly isFailure?: ((result: Result) => boolean) | undefined
}

/** A rule asks at most once, but many rules may ask. */
const roundsMax = 32

type Governed = { readonly isRead: boolean }
type Decided = Allow | Block | Hold

const allow: Allow = { is: 'allow' }
const none: ReadonlySet<string> = new Set()

/** Sends one call along the road. Whatever goes wrong on it, the tool is not run. */
export async function governCall<Result>(
  needs: GovernNeeds,
  call: FrozenCall,
  execution: Execution<Result>,
): Promise<Result> {
  const passage = new Passage(needs, call, execution)
  const { tools } = passage.revision
  // Said by the signed ruleset, not by the agent; a shell's command is only guessed at, and a guess is no claim.
  const registered = call.tool === 'Bash' ? undefined : tools.get(call.tool)?.sideEffect
  const isRead = registered === 'pure' || registered === 'read'
  let outcome: Outcome<Result>
  try {
    outcome = await govern<Governed, Reporter, Result>({ isRead }, passage)
  } catch (cause) {
    throw passage.failure(cause)
  }
  if (outcome.is === 'done') return outcome.result
  throw passage.refusal(outcome)
}

/** What the stages of one call learn of it. */
class Passage<Result> implements Stages<Governed, Reporter, Result> {
  revision: Revision
  readonly #needs: GovernNeeds
  readonly #call: FrozenCall
  readonly #execution: Execution<Result>
  readonly #report: CallReport
  #decision: PreDecision | undefined
  #counters: Counters | undefined
  #answer: Answer | undefined
  #isReserved = false
  #ran: { readonly value: unknown } | undefined
  #end: readonly Reported[] = []
  #step: WorkflowStep | undefined
  /** Moves of the workflow that were not told yet; they go before what the call itself has to say. */
  #moves: readonly Reported[] = []

  constructor(needs: GovernNeeds, call: FrozenCall, execution: Execution<Result>) {
    this.#needs = needs
    this.#call = call
    this.#execution = execution
    this.revision = needs.revision()
    this.#report = reportCall(needs.reporter, call, sideEffectOf(call, this.revision.tools), needs.nextIndex())
  }

  /** The process is the agent: who it is was settled when the guard was made. */
  authenticate(): Reporter {
    return this.#needs.reporter
  }

  authorize(): Allow | Block {
    return this.#needs.isClosed() ? { is: 'block', code: 'closed', says: 'The guard is closed.' } : allow
  }

  rules(): Decided | Promise<Decided> {
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
    return this.#release().then(() => verdictOf(again))
  }

  #judge(counters: Counters, approved: ReadonlySet<string>): PreDecision | Promise<PreDecision> {
    this.#counters = counters
    const { env, reporter, workflow } = this.#needs
    const { tool, args, principal, metadata, sessionId } = this.#call
    const call = { tool, args, principal, metadata, environment: reporter.environment }
    const { compiled } = this.revision
    if (!workflow) return (this.#decision = decidePre(compiled, call, { counters, approved, env }))
    const decide = (answer: () => WorkflowAnswer): PreDecision =>
      decidePre(compiled, call, { counters, approved, env, workflow: answer })
    return workflow.decide(sessionId, call, decide).then(({ decision, step }) => {
      this.#move(step)
      return (this.#decision = decision)
    })
  }

  /** Where the session stands now, and what is to be told of how it came there. */
  #move(step: WorkflowStep): void {
    this.#step = step
    this.#moves = [...this.#moves, ...this.#movesOf(step)]
  }

  #movesOf({ events, snapshot }: WorkflowStep): readonly Reported[] {
    return events.map(({ action, stageId, toStageId }) => ({
      ...this.#facts(action),
      workflow: {
        ...snapshot,
        ...(stageId !== undefined && { stage_id: stageId }),
        ...(toStageId !== undefined && { to_stage_id: toStageId }),
      },
    }))
  }

  #countersAway(cause: unknown): Block {
    this.#decision = undefined
    const says = `The session's counters cannot be had, so its limits cannot be kept: ${textOf(cause)}`
    return { is: 'block', code: 'counters_unavailable' satisfies BlockCode, says }
  }

  /** Asks, and then goes on with the rules behind the one that asked, until nothing asks any more. */
  async approval(_call: Governed, _who: Reporter, held: Hold): Promise<Allow | Block> {
    const approved = new Set<string>()
    let hold = held
    for (let round = 0; round < roundsMax; round += 1) {
      const revision = this.revision
      const refused = await this.#askHuman(hold)
      if (refused) return refused
      this.revision = this.#needs.revision()
      const spoke = this.#decision?.decidedBy
      const stays = await this.#approveStage(spoke)
      if (stays) return stays
      // What was approved was approved under other rules.
      if (this.revision.hash !== revision.hash) approved.clear()
      // A stage is no rule, though one may be called like the other.
      else if (spoke && spoke.source !== 'workflow') approved.add(spoke.name)
      const verdict = await this.#decideAgain(approved)
      if (verdict.is !== 'hold') return verdict
      hold = verdict
    }
    return { is: 'block', code: 'approval_unavailable', says: `The call was asked about ${roundsMax} times.` }
  }

  async #decideAgain(approved: ReadonlySet<string>): Promise<Allow | Block | Hold> {
    try {
      const counters = await this.#needs.counters.look(this.#call.sessionId, this.#call.tool)
      return await this.#decide(counters, approved)
    } catch (cause) {
      return this.#countersAway(cause)
    }
  }

  /** Leaving a stage is approved for the session and not for the call alone. Undefined when the call may go on. */
  async #approveStage(spoke: Fired | undefined): Promise<Block | undefined> {
    if (spoke?.source !== 'workflow') return undefined
    try {
      await this.#needs.workflow?.approve(this.#call.sessionId, spoke.name)
      return undefined
    } catch (cause) {
      const says = `${spoke.message} (approved, which could not be kept: ${textOf(cause)})`
      return { is: 'block', code: 'approval_unavailable', says, rule: spoke.name }
    }
  }

  /** Undefined when the call may go on. */
  async #askHuman({ says }: Hold): Promise<Block | undefined> {
    const { decidedBy: fired, hold } = this.#decision ?? {}
    const { ask } = this.#needs
    if (!fired || !hold) return { is: 'block', code: 'failed', says: 'A rule asks without saying how.' }
    if (!ask) {
      const why = `Approval is required, and this guard has nobody to ask: ${says}`
      return { is: 'block', code: 'approval_unavailable', says: why, rule: fired.name }
    }
    this.#write([{ ...this.#facts('call_asked'), fired }], 'before')
    const { timeoutSeconds, timeoutAction: onTimeout } = hold
    const { tool, args, sessionId, signal } = this.#call
    const question = {
      tool,
      args,
      sessionId,
      message: says,
      rule: fired.name,
      source: fired.source,
      timeoutSeconds,
      onTimeout,
    }
    let answer: Answer
    try {
      answer = await ask(question, signal)
    } catch (cause) {
      // The caller gave up on it: that is his own end of the call and no verdict.
      if (signal?.aborted === true) throw cause
      return { is: 'block', code: 'approval_unavailable', says: `${says} (${textOf(cause)})`, rule: fired.name }
    }
    this.#answer = answer
    return this.#settle(answer, fired, onTimeout)
  }

  #settle(answer: Answer, fired: Fired, onTimeout: 'block' | 'allow'): Block | undefined {
    const rule = fired.name
    switch (answer.is) {
      case 'approved':
        this.#write([{ ...this.#facts('call_approval_granted'), fired, reason: answer.reason }], 'after')
        return undefined
      case 'denied':
        this.#write([{ ...this.#facts('call_approval_blocked'), fired, reason: answer.reason }], 'after')
        return { is: 'block', code: 'approval_denied', says: answer.reason ?? fired.message, rule }
      case 'timed_out':
        this.#write([{ ...this.#facts('call_approval_timeout'), fired }], 'after')
        if (onTimeout === 'allow') return undefined
        return { is: 'block', code: 'approval_timed_out', says: `${fired.message} (nobody decided in time)`, rule }
      default:
        // Types forbid it; an approver written without them must still allow nothing by it.
        throw new TypeError('The answer is none of approved, denied and timed_out.')
    }
  }

  recordIntent(): void | Promise<void> {
    try {
      this.#write(this.#intent(), 'before')
    } catch (cause) {
      return this.#release().then(() => {
        throw cause
      })
    }
  }

  #intent(): readonly Reported[] {
    const observed = this.#decision?.observed ?? []
    const wouldBlock = observed.map((fired) => ({ ...this.#facts('call_would_block'), fired, allFired: [fired] }))
    // Under an observing guard what would have stopped the call is among them and has said all there is to say.
    if (this.#decision?.decidedBy) return wouldBlock
    const allowed = this.#facts('call_allowed')
    return observed.length === 0 ? [allowed] : [...wouldBlock, { ...allowed, allFired: observed }]
  }

  async execute(governed: Governed): Promise<Result> {
    const { run, isFailure = looksFailed } = this.#execution
    // A read writes no intent before; it is reported with its end.
    if (governed.isRead) {
      this.#end = [...this.#moves, ...this.#intent()]
      this.#moves = []
    }
    const startedMs = this.#needs.clock.steadyMs()
    const took = (): number => this.#needs.clock.steadyMs() - startedMs
    let value: Result
    try {
      const given = run(copyJson(this.#call.args, 'args') as JsonObject)
      value = isPending(given) ? await given : given
    } catch (cause) {
      const error = textOf(cause)
      this.#end = [...this.#end, { ...this.#ended('call_failed', took(), false), error, ...this.#after(error).said }]
      throw new ToolThrew(cause)
    }
    this.#ran = { value }
    const failed = isFailure(value)
    const durationMs = took()
    const { said, replaced } = this.#after(value)
    // The rules decide what the agent sees of it; its kind may change by that.
    const shown = replaced ? (replaced.value as Result) : value
    const proven = failed ? [] : this.#prove(shown)
    const moves = proven instanceof Promise ? await proven : proven
    const ended = this.#ended(failed ? 'call_failed' : 'call_executed', durationMs, !failed)
    this.#end = [...this.#end, { ...ended, ...said }, ...moves]
    if (replaced) this.#ran = { value: shown }
    return shown
  }

  /** What ran is evidence for the gates behind it. It ran, so whatever fails here is not the call's failure. */
  #prove(shown: unknown): readonly Reported[] | Promise<readonly Reported[]> {
    const { workflow } = this.#needs
    const stageId = this.#step?.stageId
    // A completed workflow, and one that was not asked, have no use for it.
    if (!workflow || stageId === undefined || stageId === '') return []
    return workflow.recordResult(this.#call.sessionId, this.#call, stageId, shown).then(
      (step) => {
        this.#step = step
        return this.#movesOf(step)
      },
      (cause: unknown) => {
        this.#needs.evidenceLost(cause)
        return []
      },
    )
  }

  /** What the rules for results say. A rule that cannot be evaluated has fired. */
  #after(value: unknown): { readonly said: Partial<Reported>; readonly replaced?: { readonly value: unknown } } {
    const { tool, args, principal, metadata } = this.#call
    const { environment } = this.#needs.reporter
    const { compiled } = this.revision
    if (compiled.rulesFor(tool).post.length === 0 && !compiled.candidates) return { said: { passed: true } }
    const call = { tool, args, principal, metadata, environment }
    const decision = decidePost(compiled, call, outputOf(value), { env: this.#needs.env })
    const [fired] = decision.fired.filter(({ isObserved }) => !isObserved)
    const said = { passed: decision.passed, allFired: decision.fired, fired }
    return decision.isReplaced ? { said, replaced: { value: decision.result } } : { said }
  }

  recordEnd(_call: Governed, _who: Reporter | undefined, outcome: Outcome<Result> | Failed): void | Promise<void> {
    if (outcome.is !== 'done') return this.#recordNotDone(outcome)
    try {
      this.#write(this.#end, 'after')
    } catch (cause) {
      throw new EndNotRecorded(this.#call.tool, outcome.result, causeOf(cause))
    }
  }

  async #recordNotDone(outcome: Exclude<Outcome<Result> | Failed, { is: 'done' }>): Promise<void> {
    if (this.#isReserved && !this.#ran && !(outcome.is === 'failed' && outcome.at === 'execute')) await this.#release()
    // A refusal stands whether or not it can be written down.
    try {
      this.#write(outcome.is === 'failed' && outcome.at === 'execute' ? this.#end : [this.#refused(outcome)], 'after')
    } catch (cause) {
      this.#needs.recordLost(causeOf(cause))
    }
  }

  #refused(outcome: Exclude<Outcome<Result> | Failed, { is: 'done' }>): Reported {
    const decidedBy = this.#decision?.decidedBy
    const facts = { ...this.#facts('call_blocked'), allFired: this.#decision?.observed }
    if (outcome.is === 'failed') return { ...facts, source: 'guard', reason: this.failure(outcome.cause).message }
    const { verdict } = outcome
    const isRules = 'rule' in verdict && verdict.rule !== undefined && verdict.rule === decidedBy?.name
    return { ...facts, reason: verdict.says, ...(isRules ? { fired: decidedBy } : { source: 'guard' }) }
  }

  endLost(_call: Governed, cause: unknown): void {
    this.#needs.recordLost(causeOf(cause))
  }

  async #release(): Promise<void> {
    if (!this.#isReserved) return
    this.#isReserved = false
    try {
      await this.#needs.counters.release(this.#call.sessionId, this.#call.tool)
    } catch {
      // Counted although it did not run: that errs on the side of the limit.
    }
  }

  #facts(action: Reported['action']): Reported {
    const { attempts, executions } = this.#counters ?? {}
    const workflow = this.#step?.snapshot
    return { action, at: this.#needs.clock.now(), revision: this.revision.hash, attempts, executions, workflow }
  }

  #ended(action: Reported['action'], durationMs: number, succeeded: boolean): Reported {
    const facts = this.#facts(action)
    return { ...facts, durationMs, succeeded, executions: (facts.executions ?? 0) + 1 }
  }

  #write(reported: readonly Reported[], when: 'before' | 'after'): void {
    if (reported.length === 0) return
    const all = this.#moves.length === 0 ? reported : [...this.#moves, ...reported]
    try {
      this.#needs.record(all.map(this.#report), when)
    } catch (cause) {
      throw new NotRecorded(cause)
    }
    this.#moves = []
  }

  refusal({ verdict }: Exclude<Outcome<Result>, { is: 'done' }>): CallBlocked {
    return refusalOf(verdict, this.#call, this.#answer)
  }

  /** What the caller is told of a failure: the tool's own error as it is, everything else as a blocked call. */
  failure(cause: unknown): Error {
    return failureOf(cause, this.#call)
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

/** Of any realm: a result that was taken for its promise would be reported before it is there. */
function isPending<Value>(given: Value | Promise<Value>): given is Promise<Value> {
  return (typeof given === 'function' || (typeof given === 'object' && given !== null)) && 'then' in given
}

function countOf({ perTool }: Pick<Counters, 'perTool'>, tool: string): number {
  if (perTool instanceof Map) return perTool.get(tool) ?? 0
  return (perTool as Readonly<Record<string, number>>)[tool] ?? 0
}
