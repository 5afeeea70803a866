import type { ToolCall } from './call.ts'

/** What every call of an adapter's tools says of itself: principal, session, metadata. */
export type SaidOfCalls = Omit<ToolCall, 'tool' | 'args' | 'signal' | 'callId'>

/** What a framework says of one call. */
export type FrameworkCall = {
  readonly tool: string
  /** Arguments as the framework checked them; a tool that takes a single value has it under `input`. */
  readonly input: unknown
  readonly toolCallId?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** A framework's call as the guard judges it. */
export function toolCallOf({ tool, input, toolCallId, signal }: FrameworkCall, said: SaidOfCalls): ToolCall {
  const metadata = { ...said.metadata, ...(toolCallId !== undefined && { tool_call_id: toolCallId }) }
  return { ...said, tool, args: isArguments(input) ? input : { input }, metadata, ...(signal && { signal }) }
}

/** The judged arguments in the form in which the tool expects them. */
export function inputOf(given: unknown, args: object): unknown {
  return isArguments(given) ? args : (args as { readonly input: unknown }).input
}

function isArguments(input: unknown): input is object {
  return typeof input === 'object' && input !== null && !Array.isArray(input)
}

/** A text as a tool of the Model Context Protocol answers it. */
export function textResult(text: string, isError: boolean): object {
  return { content: [{ type: 'text', text }], isError }
}

export function signalIn(options: unknown): AbortSignal | undefined {
  return (options as { readonly signal?: AbortSignal } | undefined)?.signal
}
