import {
  type Allow,
  type Block,
  type Failed,
  govern,
  type Hold,
  type Outcome,
  type Stages,
} from '@countersign/pipeline'
import { decidePost, type JsonObject } from '@countersign/rules'
import type { FrozenCall } from './call.ts'
import { CallRecord } from './call-record.ts'
import { allow, CallDecision } from './decide-call.ts'
import { type CallBlocked, EndNotRecorded } from './errors.ts'
import type { Reported, Reporter } from './event.ts'
import type { GovernNeeds } from './govern-needs.ts'
import { copyJson } from './json-copy.ts'
import { causeOf, failureOf, refusalOf, ToolThrew, textOf } from './refusal.ts'
import { HeldCall } from './settle-hold.ts'
import { looksFailed, outputOf } from './tool-result.ts'

export type Execution<Result> = {
  readonly run: (args: JsonObject) => Result | Promise<Result>
  readonly isFailure?: ((result: Result) => boolean) | undefined
}

type Governed = { readonly isRead: boolean }
type Undone<Result> = Exclude<Outcome<Result> | Failed, { is: 'done' }>

/** Sends one call along the road. Whatever goes wrong on it, the tool is not run. */
export async function governCall<Result>(
  needs: GovernNeeds,
  call: FrozenCall,
  execution: Execution<Result>,
): Promise<Result> {
  const passage = new Passage(needs, call, execution)
  const { tools } = passage.record.revision
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
  readonly record: CallRecord
  readonly #needs: GovernNeeds
  readonly #call: FrozenCall
  readonly #execution: Execution<Result>
  readonly #decision: CallDecision
  #held: HeldCall | undefined
  #hasRun = false
  #end: readonly Reported[] = []

  constructor(needs: GovernNeeds, call: FrozenCall, execution: Execution<Result>) {
    this.#needs = needs
    this.#call = call
    this.#execution = execution
    this.record = new CallRecord(needs, call, needs.revision())
    this.#decision = new CallDecision(needs, call, this.record)
  }

  /** The process is the agent: who it is was settled when the guard was made. */
  authenticate(): Reporter {
    return this.#needs.reporter
  }

  authorize(): Allow | Block {
    return this.#needs.isClosed() ? { is: 'block', code: 'closed', says: 'The guard is closed.' } : allow
  }

  rules(): Allow | Block | Hold | Promise<Allow | Block | Hold> {
    return this.#decision.attempt()
  }

  approval(_call: Governed, _who: Reporter, hold: Hold): Promise<Allow | Block> {
    this.#held = new HeldCall(this.#needs, { call: this.#call, record: this.record, decision: this.#decision })
    return this.#held.settle(hold)
  }

  recordIntent(): void | Promise<void> {
    try {
      this.record.write(this.#intent(), 'before')
    } catch (cause) {
      return this.#decision.release().then(() => {
        throw cause
      })
    }
  }

  #intent(): readonly Reported[] {
    const observed = this.#decision.last?.observed
    if (!observed?.length) return this.#decision.last?.decidedBy ? [] : [this.record.facts('call_allowed')]
    const wouldBlock = observed.map((fired) => ({ ...this.record.facts('call_would_block'), fired, allFired: [fired] }))
    // Under an observing guard what would have stopped the call is among them and has said all there is to say.
    if (this.#decision.last?.decidedBy) return wouldBlock
    return [...wouldBlock, { ...this.record.facts('call_allowed'), allFired: observed }]
  }

  async execute(governed: Governed): Promise<Result> {
    const { run, isFailure = looksFailed } = this.#execution
    // A read writes no intent before; it is reported with its end.
    if (governed.isRead) {
      this.#end = [...this.record.takeMoves(), ...this.#intent()]
    }
    const startedMs = this.#needs.clock.steadyMs()
    const took = (): number => this.#needs.clock.steadyMs() - startedMs
    let value: Result
    try {
      const given = run(copyJson(this.#call.args, 'args') as JsonObject)
      value = isPending(given) ? await given : given
    } catch (cause) {
      const error = textOf(cause)
      this.#end = [
        ...this.#end,
        { ...this.record.ended('call_failed', took(), false), error, ...this.#after(error).said },
      ]
      throw new ToolThrew(cause)
    }
    this.#hasRun = true
    const failed = isFailure(value)
    const durationMs = took()
    const { said, replaced } = this.#after(value)
    // The rules decide what the agent sees of it; its kind may change by that.
    const shown = replaced ? (replaced.value as Result) : value
    const proven = failed ? [] : this.#prove(shown)
    const moves = proven instanceof Promise ? await proven : proven
    const ended = this.record.ended(failed ? 'call_failed' : 'call_executed', durationMs, !failed)
    this.#end = [...this.#end, { ...ended, ...said }, ...moves]
    return shown
  }

  /** What ran is evidence for the gates behind it. It ran, so whatever fails here is not the call's failure. */
  #prove(shown: unknown): readonly Reported[] | Promise<readonly Reported[]> {
    const { workflow } = this.#needs
    const stageId = this.record.step?.stageId
    // A completed workflow, and one that was not asked, have no use for it.
    if (!workflow || stageId === undefined || stageId === '') return []
    return workflow.recordResult(this.#call.sessionId, this.#call, stageId, shown).then(
      (step) => {
        this.record.step = step
        return this.record.movesOf(step)
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
    const { compiled } = this.record.revision
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
      this.record.write(this.#end, 'after')
    } catch (cause) {
      throw new EndNotRecorded(this.#call.tool, outcome.result, causeOf(cause))
    }
  }

  async #recordNotDone(outcome: Undone<Result>): Promise<void> {
    if (!this.#hasRun && !(outcome.is === 'failed' && outcome.at === 'execute')) await this.#decision.release()
    // A refusal stands whether or not it can be written down.
    try {
      this.record.write(
        outcome.is === 'failed' && outcome.at === 'execute' ? this.#end : [this.#refused(outcome)],
        'after',
      )
    } catch (cause) {
      this.#needs.recordLost(causeOf(cause))
    }
  }

  #refused(outcome: Undone<Result>): Reported {
    const decidedBy = this.#decision.last?.decidedBy
    const facts = { ...this.record.facts('call_blocked'), allFired: this.#decision.last?.observed }
    if (outcome.is === 'failed') return { ...facts, source: 'guard', reason: this.failure(outcome.cause).message }
    const { verdict } = outcome
    const isRules = 'rule' in verdict && verdict.rule !== undefined && verdict.rule === decidedBy?.name
    return { ...facts, reason: verdict.says, ...(isRules ? { fired: decidedBy } : { source: 'guard' }) }
  }

  endLost(_call: Governed, cause: unknown): void {
    this.#needs.recordLost(causeOf(cause))
  }

  refusal({ verdict }: Exclude<Outcome<Result>, { is: 'done' }>): CallBlocked {
    return refusalOf(verdict, this.#call, this.#held?.answer)
  }

  /** What the caller is told of a failure: the tool's own error as it is, everything else as a blocked call. */
  failure(cause: unknown): Error {
    return failureOf(cause, this.#call)
  }
}

/** Of any realm: a result that was taken for its promise would be reported before it is there. */
function isPending<Value>(given: Value | Promise<Value>): given is Promise<Value> {
  return (typeof given === 'function' || (typeof given === 'object' && given !== null)) && 'then' in given
}
