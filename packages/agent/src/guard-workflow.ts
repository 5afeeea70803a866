import type { JsonObject, JsonValue } from '@countersign/rules'
import { type CallDefaults, freezeCall } from './call.ts'
import { reportCall } from './event.ts'
import type { GovernNeeds } from './govern-needs.ts'
import type { WorkflowGates, WorkflowMove } from './workflow-gates.ts'

/**
 * For whoever operates the agent, not for the agent: moves go around the gates. Each is reported. Without a session the
 * guard's own is meant.
 */
export type GuardWorkflow = {
  readonly name: string
  /** Where a session stands, with all its evidence; `restore` takes it. */
  readonly state: (sessionId?: string) => Promise<JsonObject>
  /** Back to a stage as if it and all behind it had never been. */
  readonly reset: (stageId: string, sessionId?: string) => Promise<void>
  /** To a stage, keeping what was approved and seen. */
  readonly setStage: (stageId: string, sessionId?: string) => Promise<void>
  /** A state that was kept, as before a restart. */
  readonly restore: (state: JsonValue, sessionId?: string) => Promise<void>
}

type Needs = Pick<GovernNeeds, 'reporter' | 'clock' | 'revision' | 'record' | 'nextIndex'>

export function guardWorkflow(gates: WorkflowGates, needs: Needs, defaults: CallDefaults): GuardWorkflow {
  const move = async (to: WorkflowMove, sessionId = defaults.sessionId): Promise<void> => {
    const call = freezeCall({ tool: 'workflow', sessionId }, defaults)
    const { snapshot, events } = await gates.change(sessionId, to)
    const report = reportCall(needs.reporter, call, 'write', needs.nextIndex())
    const { hash: revision } = needs.revision()
    const lines = events.map(({ action }) => report({ action, at: needs.clock.now(), revision, workflow: snapshot }))
    needs.record(lines, 'after')
  }
  return {
    name: gates.name,
    state: (sessionId = defaults.sessionId) => gates.state(sessionId),
    reset: (stageId, sessionId) => move({ is: 'reset', stageId }, sessionId),
    setStage: (stageId, sessionId) => move({ is: 'set_stage', stageId }, sessionId),
    restore: (state, sessionId) => move({ is: 'restore', state }, sessionId),
  }
}
