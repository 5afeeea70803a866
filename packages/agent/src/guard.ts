import type { JsonObject } from '@countersign/rules'
import type { Ask } from './approvals.ts'
import { freezeCall, type ToolCall } from './call.ts'
import type { AgentEvent } from './event.ts'
import { type FollowingFile, followFile } from './follow-file.ts'
import { type FollowedWorkflow, followWorkflow } from './follow-workflow.ts'
import { governCall } from './govern-call.ts'
import type { GovernNeeds } from './govern-needs.ts'
import { type FileOptions, type GuardOptions, isServer, readSettings, type Settings } from './guard-options.ts'
import { type GuardWorkflow, guardWorkflow } from './guard-workflow.ts'
import { loadRevision, type Revision, revisionBytesMax } from './revision.ts'
import { localCounters, type SessionCounters } from './session-counters.ts'
import { within } from './within.ts'
import { workflowGates } from './workflow-gates.ts'
import { localStates, type WorkflowStates } from './workflow-states.ts'

export type Guard = {
  /**
   * Runs a tool if the rules let it. `execute` gets a copy of the arguments the rules saw. A blocked call rejects with
   * `CallBlocked`, one that a human denied with `ApprovalDenied`, a tool's own failure as the tool threw it.
   */
  readonly run: <Result>(
    call: ToolCall,
    execute: (args: JsonObject) => Result | Promise<Result>,
    options?: RunOptions<Result>,
  ) => Promise<Result>
  /** The same function, guarded. */
  readonly wrap: <Args extends object, Result>(
    tool: string,
    execute: (args: Args) => Result | Promise<Result>,
    options?: RunOptions<Result>,
  ) => (args: Args) => Promise<Result>
  /** The stages sessions go through; undefined unless a workflow was given. */
  readonly workflow: GuardWorkflow | undefined
  readonly status: () => GuardStatus
  /** Blocks every further call and those that wait for a human, lets running tools end, and delivers what is left. */
  readonly close: () => Promise<void>
}

export type RunOptions<Result> = {
  /** Whether a result means that the tool failed; texts that begin with `error:` and `isError` unless given. */
  readonly isFailure?: (result: Result) => boolean
}

export type GuardStatus = {
  readonly ruleset: string
  readonly revision: string
  readonly agentId: string
  readonly environment: string
  readonly sessionId: string
  /** Whether changes arrive at this moment; of files, whether they could be read and are what is enforced. */
  readonly isConnected: boolean
  /** Events that could not be kept. */
  readonly lostEvents: number
  readonly unsentBytes: number
}

/** What stands behind a guard: a file, or a server with its stream, its spool and its approvers. */
export type Backing = {
  readonly revision: () => Revision
  readonly counters: SessionCounters
  readonly states: (workflow: string) => WorkflowStates
  readonly ask: Ask | undefined
  readonly record: GovernNeeds['record']
  readonly status: () => Pick<GuardStatus, 'isConnected' | 'lostEvents' | 'unsentBytes'>
  readonly lost: (cause: unknown) => void
  readonly close: () => Promise<void>
}

/** Makes a guard. Rejects with `GuardFailed` when there is nothing it could enforce: an agent must not run without. */
export async function guard(options: GuardOptions): Promise<Guard> {
  const settings = readSettings(options)
  const workflow = options.workflow && (await followWorkflow(options.workflow, settings.onProblem))
  try {
    return makeGuard(settings, await backingOf(options, settings), workflow)
  } catch (cause) {
    workflow?.stop()
    throw cause
  }
}

async function backingOf(options: GuardOptions, settings: Settings): Promise<Backing> {
  if (!isServer(options)) return fromFile(options, settings)
  // Agents that read a file need none of it.
  const { fromServer } = await import('./from-server.ts')
  return fromServer(options, settings)
}

async function fromFile({ file, approve }: FileOptions, settings: Settings): Promise<Backing> {
  const { clock, onProblem } = settings
  const following = await followFile({
    file,
    load: (bytes) => loadRevision(bytes, settings),
    bytesMax: revisionBytesMax,
    words: { unusable: 'There is nothing to enforce', kind: 'revision_refused' },
    onProblem,
  })
  return {
    revision: following.current,
    counters: localCounters(clock.steadyMs),
    states: localStates,
    ask: approve,
    record: () => undefined,
    status: () => ({ isConnected: following.isCurrent(), lostEvents: 0, unsentBytes: 0 }),
    lost: () => undefined,
    close: () => {
      following.stop()
      return Promise.resolve()
    },
  }
}

const underWayMs = 5_000

function makeGuard(settings: Settings, backing: Backing, workflow: FollowingFile<FollowedWorkflow> | undefined): Guard {
  const { agentId, environment, sessionId, clock, onProblem } = settings
  let calls = 0
  let closing: Promise<void> | undefined
  const stopping = new AbortController()
  let underWay = 0
  let ended: () => void = () => undefined
  const { ask } = backing
  const gates =
    workflow &&
    workflowGates({
      workflow: () => workflow.current().workflow,
      // Edits keep the name, under which states are kept.
      states: backing.states(workflow.current().name),
      clock,
      exec: settings.exec,
    })
  const needs: GovernNeeds = {
    reporter: { agentId, environment, runId: crypto.randomUUID() },
    clock,
    workflow: gates,
    revision: backing.revision,
    counters: backing.counters,
    // Nobody waits for an answer that nobody could act on any more.
    ask:
      ask &&
      ((question, signal) => ask(question, signal ? AbortSignal.any([signal, stopping.signal]) : stopping.signal)),
    record: (lines, when) => {
      backing.record(lines, when)
      if (settings.onEvent) tell(settings, lines)
    },
    recordLost: backing.lost,
    evidenceLost: (cause) => {
      const why = cause instanceof Error ? cause.message : String(cause)
      const message = `What a call has proven to the workflow could not be kept, so its gates stay closed: ${why}`
      onProblem({ kind: 'state_unusable', message, cause })
    },
    env: settings.env,
    nextIndex: () => (calls += 1) - 1,
    isClosed: () => closing !== undefined,
  }

  // Async, so that a call that cannot be judged is a promise that fails like any other.
  async function run<Result>(
    call: ToolCall,
    execute: (args: JsonObject) => Result | Promise<Result>,
    { isFailure }: RunOptions<Result> = {},
  ): Promise<Result> {
    const frozen = freezeCall(call, settings)
    underWay += 1
    try {
      return await governCall<Result>(needs, frozen, { run: execute, isFailure })
    } finally {
      underWay -= 1
      if (underWay === 0) ended()
    }
  }

  /** Tools that run may end and be reported; those that do not end in time are reported as calls that began. */
  const close = async (): Promise<void> => {
    stopping.abort(new Error('the guard was closed'))
    const idle = new Promise<void>((resolve) => {
      ended = resolve
      if (underWay === 0) resolve()
    })
    await within(underWayMs, idle)
    workflow?.stop()
    await backing.close()
  }

  return {
    run,
    workflow: gates && guardWorkflow(gates, needs, settings),
    wrap: (tool, execute, options) => (args) => run({ tool, args }, (copy) => execute(copy as typeof args), options),
    status: () => {
      const { name, hash } = backing.revision()
      const { isConnected, ...rest } = backing.status()
      const isCurrent = isConnected && workflow?.isCurrent() !== false
      return { ruleset: name, revision: hash, agentId, environment, sessionId, isConnected: isCurrent, ...rest }
    },
    close: () => (closing ??= close()),
  }
}

function tell({ onEvent, onProblem }: Settings, lines: readonly string[]): void {
  for (const line of lines) {
    try {
      onEvent?.(JSON.parse(line) as AgentEvent)
    } catch (cause) {
      // A listener is no stage of the road: what it throws changes no verdict.
      onProblem({ kind: 'listener_failed', message: 'onEvent failed.', cause })
    }
  }
}
