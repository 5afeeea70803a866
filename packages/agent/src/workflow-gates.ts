import {
  type Call,
  evaluateWorkflow,
  initialWorkflowState,
  type JsonObject,
  type JsonValue,
  type PreDecision,
  recordApproval,
  recordResult,
  resetWorkflow,
  setWorkflowStage,
  snapshotToJson,
  stateFromJson,
  stateToJson,
  type Workflow,
  type WorkflowAnswer,
  type WorkflowDecision,
  type WorkflowEvent,
  type WorkflowState,
} from '@countersign/rules'
import type { Clock } from './host.ts'
import type { WorkflowStates } from './workflow-states.ts'

export type WorkflowOptions = {
  /** A `kind: Workflow` document. Followed like a file of rules: an edit that loads and keeps its name takes effect. */
  readonly file: string | URL
  /** Runs the command of an `exec(…)` condition and gives its exit code. Without it a document that has one is refused. */
  readonly exec?: (command: string) => number
}

/** The stage an allowed call belongs to, and what a move of the workflow is reported with. */
export type WorkflowStep = {
  /** Empty when the workflow is completed; undefined when a rule spoke before the workflow was asked. */
  readonly stageId: string | undefined
  readonly snapshot: JsonObject | undefined
  readonly events: readonly WorkflowEvent[]
}

/** The workflow of a guard. Whatever changes one session's state waits for what changed it before. */
export type WorkflowGates = {
  readonly name: string
  /** Decides with the workflow's word among the rules'. Where a session stands is kept before the call goes on. */
  readonly decide: (
    sessionId: string,
    call: Call,
    decide: (answer: () => WorkflowAnswer) => PreDecision,
  ) => Promise<{ readonly decision: PreDecision; readonly step: WorkflowStep }>
  /** A human said yes to leaving the stage. Nothing if the session has left it, or was sent back, meanwhile. */
  readonly approve: (sessionId: string, stageId: string) => Promise<void>
  /** What ran without failing, and came back, becomes evidence. */
  readonly recordResult: (sessionId: string, call: Call, stageId: string, result: unknown) => Promise<WorkflowStep>
  readonly change: (sessionId: string, to: WorkflowMove) => Promise<WorkflowStep>
  readonly state: (sessionId: string) => Promise<JsonObject>
}

export type WorkflowMove =
  | { readonly is: 'reset' | 'set_stage'; readonly stageId: string }
  | { readonly is: 'restore'; readonly state: JsonValue }

type Needs = {
  /** What is enforced at this moment. */
  readonly workflow: () => Workflow
  readonly states: WorkflowStates
  readonly clock: Pick<Clock, 'now'>
  readonly exec: WorkflowOptions['exec']
}

export function workflowGates({ workflow: current, states, clock, exec }: Needs): WorkflowGates {
  const tails = new Map<string, Promise<unknown>>()

  const inTurn = <Value>(sessionId: string, work: () => Promise<Value>): Promise<Value> => {
    const made = (tails.get(sessionId) ?? Promise.resolve()).then(work)
    // What failed for one call says nothing about the next.
    const tail: Promise<unknown> = made.then(ignore, ignore).then(() => {
      if (tails.get(sessionId) === tail) tails.delete(sessionId)
    })
    tails.set(sessionId, tail)
    return made
  }

  const load = async (sessionId: string): Promise<{ readonly state: WorkflowState; readonly text: string }> => {
    const text = await states.load(sessionId)
    if (text === undefined) return { state: initialWorkflowState(current()), text: '' }
    return { state: stateFromJson(JSON.parse(text) as JsonValue), text }
  }

  const keep = async (sessionId: string, state: WorkflowState, before: string): Promise<void> => {
    const text = JSON.stringify(stateToJson(state))
    if (text !== before) await states.save(sessionId, text)
  }

  const facts = () => ({ now: clock.now().toISOString(), ...(exec && { exec }) })

  /** A change outside of a decision: what cannot be read or kept throws. */
  const change = (
    sessionId: string,
    make: (
      workflow: Workflow,
      state: WorkflowState,
    ) => { readonly state: WorkflowState; readonly events: readonly WorkflowEvent[] },
    stageId: string | undefined,
  ): Promise<WorkflowStep> =>
    inTurn(sessionId, async () => {
      const { state: before, text } = await load(sessionId)
      const workflow = current()
      const { state, events } = make(workflow, before)
      await keep(sessionId, state, text)
      return { stageId, snapshot: snapshotToJson(workflow, state), events }
    })

  return {
    name: current().name,
    decide: (sessionId, call, decide) =>
      inTurn(sessionId, async () => {
        let made: WorkflowDecision | undefined
        try {
          const { state, text } = await load(sessionId)
          const workflow = current()
          const decision = decide(() => (made = evaluateWorkflow(workflow, state, call, facts())))
          if (!made) return { decision, step: unasked(snapshotToJson(workflow, state)) }
          await keep(sessionId, made.state, text)
          const { stageId, events } = made
          return { decision, step: { stageId, snapshot: snapshotToJson(workflow, made.state), events } }
        } catch (cause) {
          // Where the session stands is not known, or cannot be kept: the workflow says no, and the rules say theirs.
          const message = `Workflow evaluation error: ${reasonOf(cause)}`
          const answer: WorkflowAnswer = { verdict: 'block', stageId: 'workflow_error', message, policyError: true }
          return { decision: decide(() => answer), step: unasked(undefined) }
        }
      }),
    approve: async (sessionId, stageId) => {
      await change(
        sessionId,
        (workflow, state) => ({
          state: state.activeStage === stageId ? recordApproval(workflow, state, stageId) : state,
          events: [],
        }),
        stageId,
      )
    },
    recordResult: (sessionId, call, stageId, result) =>
      change(
        sessionId,
        (workflow, state) => recordResult(workflow, state, stageId, call, facts(), mcpResultOf(call.tool, result)),
        stageId,
      ),
    change: (sessionId, to) => change(sessionId, (workflow, state) => moved(workflow, state, to), undefined),
    state: (sessionId) => inTurn(sessionId, async () => stateToJson((await load(sessionId)).state)),
  }
}

function moved(workflow: Workflow, state: WorkflowState, to: WorkflowMove) {
  switch (to.is) {
    case 'reset':
      return resetWorkflow(workflow, state, to.stageId)
    case 'set_stage':
      return setWorkflowStage(workflow, state, to.stageId)
    case 'restore': {
      const restored = stateFromJson(to.state)
      const isKnown = ({ id }: { readonly id: string }): boolean => id === restored.activeStage
      if (restored.activeStage !== '' && !workflow.stages.some(isKnown)) {
        throw new Error(`The workflow ${workflow.name} has no stage ${JSON.stringify(restored.activeStage)}.`)
      }
      return { state: restored, events: [{ action: 'workflow_state_updated' as const }] }
    }
  }
}

function unasked(snapshot: JsonObject | undefined): WorkflowStep {
  return { stageId: undefined, snapshot, events: [] }
}

const fieldsMax = 64

/** What an MCP tool answered with, as far as a gate may ask for it: top-level texts, numbers and truths. */
function mcpResultOf(tool: string, result: unknown): JsonObject | undefined {
  if (!tool.startsWith('mcp__')) return undefined
  const answer = structuredIn(result)
  if (!answer) return undefined
  const fields = Object.entries(answer).filter(([, value]) => typeof value !== 'object' || value === null)
  return Object.fromEntries(fields.slice(0, fieldsMax)) as JsonObject
}

/** Structured content, or else the one text that is an object in JSON, or else the result itself. */
function structuredIn(result: unknown): Readonly<Record<string, unknown>> | undefined {
  if (!isObject(result)) return undefined
  if (isObject(result['structuredContent'])) return result['structuredContent']
  const { content } = result
  if (!Array.isArray(content)) return result
  const [only, more] = content as readonly unknown[]
  if (more !== undefined || !isObject(only) || only['type'] !== 'text' || typeof only['text'] !== 'string')
    return undefined
  try {
    const value: unknown = JSON.parse(only['text'])
    return isObject(value) ? value : undefined
  } catch {
    // A text like any other is no evidence.
    return undefined
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function ignore(): void {}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
