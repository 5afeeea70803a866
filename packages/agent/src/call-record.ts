import { type Counters, sideEffectOf } from '@countersign/rules'
import type { FrozenCall } from './call.ts'
import { type CallReport, type Reported, reportCall } from './event.ts'
import type { GovernNeeds } from './govern-needs.ts'
import { NotRecorded } from './refusal.ts'
import type { Revision } from './revision.ts'
import type { WorkflowStep } from './workflow-gates.ts'

type Needs = Pick<GovernNeeds, 'reporter' | 'clock' | 'record' | 'nextIndex'>

/** What is known of one call at each moment, and what is told of it. */
export class CallRecord {
  /** What it is judged by; another one after a human has taken his time. */
  revision: Revision
  counters: Counters | undefined
  /** Where its session stands in the workflow. */
  step: WorkflowStep | undefined
  readonly #needs: Needs
  readonly #report: CallReport
  /** Moves of the workflow that were not told yet; they go before what the call itself has to say. */
  #moves: readonly Reported[] = []

  constructor(needs: Needs, call: FrozenCall, revision: Revision) {
    this.#needs = needs
    this.revision = revision
    this.#report = reportCall(needs.reporter, call, sideEffectOf(call, revision.tools), needs.nextIndex())
  }

  facts(action: Reported['action']): Reported {
    const { attempts, executions } = this.counters ?? {}
    const workflow = this.step?.snapshot
    return { action, at: this.#needs.clock.now(), revision: this.revision.hash, attempts, executions, workflow }
  }

  ended(action: Reported['action'], durationMs: number, succeeded: boolean): Reported {
    const facts = this.facts(action)
    return { ...facts, durationMs, succeeded, executions: (facts.executions ?? 0) + 1 }
  }

  /** The session has moved; told with whatever is written next. */
  moved(step: WorkflowStep): void {
    this.step = step
    this.#moves = [...this.#moves, ...this.movesOf(step)]
  }

  /** Takes what is to be told of moves out of what is written next, for a place of its own. */
  takeMoves(): readonly Reported[] {
    const moves = this.#moves
    this.#moves = []
    return moves
  }

  movesOf({ events, snapshot }: WorkflowStep): readonly Reported[] {
    return events.map(({ action, stageId, toStageId }) => ({
      ...this.facts(action),
      workflow: {
        ...snapshot,
        ...(stageId !== undefined && { stage_id: stageId }),
        ...(toStageId !== undefined && { to_stage_id: toStageId }),
      },
    }))
  }

  write(reported: readonly Reported[], when: 'before' | 'after'): void {
    if (reported.length === 0) return
    const all = this.#moves.length === 0 ? reported : [...this.#moves, ...reported]
    try {
      this.#needs.record(all.map(this.#report), when)
    } catch (cause) {
      throw new NotRecorded(cause)
    }
    this.#moves = []
  }
}
