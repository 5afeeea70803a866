import { inputOf, type SaidOfCalls, toolCallOf } from './adapter.ts'
import { CallBlocked } from './errors.ts'
import type { Guard } from './guard.ts'

/** What the adapter needs of `tool` of `@openai/agents`; whatever else it takes and gives is left as it is. */
type ToolFactory = (options: never) => { readonly name: string }
type Execute = (input: unknown, context: unknown, details?: Details) => unknown
type Details = { readonly toolCall?: { readonly callId?: string } | undefined; readonly signal?: AbortSignal }

export type GuardToolOptions = {
  /** What every call of these tools says of itself: principal, session, metadata. */
  readonly call?: SaidOfCalls
}

/**
 * The `tool` function of the OpenAI Agents SDK, making guarded tools. A blocked call answers with the rule's message, since the
 * SDK keeps what an error says from the model. Where the result has a schema that a message would not meet, it throws.
 */
export function guardTool<Factory extends ToolFactory>(
  guard: Guard,
  tool: Factory,
  { call = {} }: GuardToolOptions = {},
): Factory {
  const make = (options: {
    readonly name?: string
    readonly execute?: Execute
    readonly outputSchema?: unknown
  }): { readonly name: string } => {
    const { execute } = options
    if (typeof execute !== 'function') {
      throw new TypeError(`The tool ${String(options.name)} has no execute, so there is nothing to guard.`)
    }
    // Where there is no name, the SDK takes the function's.
    const given = { ...options, name: options.name ?? execute.name }
    const guarded: Execute = async (input, context, details) => {
      const { toolCall, signal } = details ?? {}
      // The SDK may have changed the name; rules see the one that the model calls.
      const asked = toolCallOf({ tool: made.name, input, toolCallId: toolCall?.callId, signal }, call)
      try {
        return await guard.run(asked, (args) => execute(inputOf(input, args), context, details))
      } catch (cause) {
        if (options.outputSchema !== undefined || !(cause instanceof CallBlocked)) throw cause
        return cause.message
      }
    }
    const made = tool({ ...given, execute: guarded } as never)
    return made
  }
  return make as unknown as Factory
}
