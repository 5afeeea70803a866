import type { JsonObject } from '../evaluate/call.ts'
import type { Glob } from '../evaluate/glob.ts'
import type { Pattern } from '../pattern/pattern.ts'

/** What must hold to enter or leave a stage. */
export type Condition =
  | { readonly is: 'stage_complete'; readonly stageId: string }
  | { readonly is: 'file_read'; readonly path: string }
  | { readonly is: 'approval'; readonly stageId: string | undefined }
  | { readonly is: 'command_matches' | 'command_not_matches'; readonly pattern: Pattern }
  | { readonly is: 'mcp_result_matches'; readonly tool: string; readonly field: string; readonly value: string }
  | { readonly is: 'exec'; readonly command: string; readonly exitCode: number }

export interface Gate {
  /** As written. */
  readonly text: string
  readonly condition: Condition
  readonly message: string
}

export interface Check {
  readonly isProhibition: boolean
  readonly pattern: Pattern
  readonly message: string
}

export interface Stage {
  readonly id: string
  readonly description?: string
  readonly entry: readonly Gate[]
  readonly tools: readonly { readonly glob: string; readonly matches: Glob }[]
  readonly checks: readonly Check[]
  readonly exit: readonly Gate[]
  /** The question a human must answer with yes before the stage is left. */
  readonly approval?: string
  readonly isTerminal: boolean
  readonly line: number
}

/** A line of stages that a session walks from first to last. */
export interface Workflow {
  readonly name: string
  readonly version?: string
  readonly description?: string
  readonly stages: readonly Stage[]
}

export type PendingApproval =
  | { readonly required: false }
  | { readonly required: true; readonly stageId: string; readonly message: string }

export interface Noted {
  readonly tool: string
  readonly summary: string
  /** RFC 3339, from the caller's clock. */
  readonly timestamp: string
}

/** Where one session stands in one workflow. Never changed in place. */
export interface WorkflowState {
  /** Empty when the workflow is completed. */
  readonly activeStage: string
  readonly completedStages: readonly string[]
  readonly approvals: Readonly<Record<string, 'approved'>>
  readonly evidence: {
    readonly reads: readonly string[]
    readonly stageCalls: Readonly<Record<string, readonly string[]>>
    readonly mcpResults: Readonly<Record<string, readonly JsonObject[]>>
  }
  readonly blockedReason: string | null
  readonly pendingApproval: PendingApproval
  readonly lastBlockedAction?: Noted & { readonly message: string }
  readonly lastRecordedEvidence?: Noted
}

export interface WorkflowEvent {
  readonly action: 'workflow_stage_advanced' | 'workflow_completed' | 'workflow_state_updated'
  readonly stageId?: string
  readonly toStageId?: string
}

export function initialWorkflowState(workflow: Workflow): WorkflowState {
  return {
    activeStage: workflow.stages[0]?.id ?? '',
    completedStages: [],
    approvals: {},
    evidence: { reads: [], stageCalls: {}, mcpResults: {} },
    blockedReason: null,
    pendingApproval: { required: false },
  }
}
