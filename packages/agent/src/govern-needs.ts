import type { Ask } from './approvals.ts'
import type { Reporter } from './event.ts'
import type { Clock } from './host.ts'
import type { Revision } from './revision.ts'
import type { SessionCounters } from './session-counters.ts'
import type { WorkflowGates } from './workflow-gates.ts'

/** What a guard lends to each of its calls. */
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
