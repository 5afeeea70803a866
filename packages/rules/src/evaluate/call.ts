import type { JsonValue, Ruleset, SideEffect } from '../model.ts'
import { classifyCommand } from './classify-command.ts'

export interface Principal {
  readonly userId?: string | null
  readonly serviceId?: string | null
  readonly orgId?: string | null
  readonly role?: string | null
  readonly ticketRef?: string | null
  readonly claims?: JsonObject
}

export type JsonObject = { readonly [key: string]: JsonValue }

/** One attempt to run a tool. Its name is not checked here; see `toolNameProblem` for the boundary where calls are made. */
export interface Call {
  readonly tool: string
  readonly args: JsonObject
  /** Name of the deployment environment, `production` unless said. */
  readonly environment?: string
  readonly principal?: Principal | null
  readonly metadata?: JsonObject
}

/** What has happened in the session before this call; an attempt is counted before it is decided on. */
export interface Counters {
  readonly attempts: number
  readonly executions: number
  readonly perTool: Readonly<Record<string, number>> | ReadonlyMap<string, number>
}

/** Where an absolute path leads. On an agent's host this follows links; elsewhere it can only tidy the text. */
export type ResolvePath = (path: string) => ResolvedPath
export interface ResolvedPath {
  readonly path: string
  /** Links could not be followed, for another reason than that nothing is there: only the text is known. */
  readonly isUncertain?: boolean
}

/** Everything a decision depends on beside ruleset and call. Nothing else is looked at: no clock, no process, no files. */
export interface Facts {
  readonly counters?: Counters
  /** For `env.NAME`. Never the server's own environment in a hosted evaluation. */
  readonly env?: Readonly<Record<string, string>>
  /** Rules (or stages, as `workflow:STAGE`) a human has approved for this very call: they do not ask again. */
  readonly approved?: ReadonlySet<string>
  /** Decides for the workflow, when the session has one. */
  readonly workflow?: () => WorkflowAnswer
}

export type WorkflowAnswer =
  | { readonly verdict: 'allow'; readonly stageId?: string }
  | { readonly verdict: 'block'; readonly stageId: string; readonly message: string; readonly policyError?: boolean }
  | { readonly verdict: 'ask'; readonly stageId: string; readonly message: string }

export const noCounters: Counters = { attempts: 0, executions: 0, perTool: {} }

export function toolCount({ perTool }: Counters, tool: string): number {
  if (perTool instanceof Map) return perTool.get(tool) ?? 0
  return Object.hasOwn(perTool, tool) ? ((perTool as Readonly<Record<string, number>>)[tool] ?? 0) : 0
}

/** Text of a shell command, for the one tool that is a shell. */
export function bashCommandOf(call: Call): string | undefined {
  if (call.tool !== 'Bash') return undefined
  const command = own(call.args, 'command')
  return typeof command === 'string' ? command : ''
}

const fileTools = new Set(['Read', 'Glob', 'Grep', 'Write', 'Edit'])

export function filePathOf(call: Call): string | undefined {
  if (!fileTools.has(call.tool)) return undefined
  for (const key of ['file_path', 'filePath', 'path']) {
    const value = own(call.args, key)
    if (typeof value === 'string' && value !== '') return value
  }
  return undefined
}

/** What the tool does to the world: as registered, and for a shell as its command reads. Unknown tools do the worst. */
export function sideEffectOf(call: Call, tools: ReadonlyMap<string, Ruleset['tools'][number]>): SideEffect {
  const command = bashCommandOf(call)
  if (command !== undefined) return classifyCommand(command)
  return tools.get(call.tool)?.sideEffect ?? 'irreversible'
}

/** Why a name may not be given to a tool where calls are made for execution; undefined when it may. */
export function toolNameProblem(name: string): string | undefined {
  if (name === '') return 'A tool name must not be empty.'
  if (/[\u0000-\u001F\u007F-\u009F\u2028\u2029]/.test(name)) return 'A tool name must not contain control characters.'
  return /[/\\]/.test(name) ? 'A tool name must not contain a slash or backslash.' : undefined
}

/** Own keys only: `args.constructor` is what the caller sent under that name, or nothing. */
export function own(object: JsonObject, key: string): JsonValue | undefined {
  const value = object[key]
  // Most keys a rule asks for are not there, and then there is nothing to find out about them.
  return value !== undefined && Object.hasOwn(object, key) ? value : undefined
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value)
}

/** Compact JSON. What is nested too deep to be printed is named, not thrown over. */
export function asJson(value: JsonValue): string {
  try {
    return JSON.stringify(value)
  } catch {
    // The only value of this type that cannot be printed is one nested beyond the stack.
    return '[nested too deep]'
  }
}
