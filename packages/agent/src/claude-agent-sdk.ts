import { type SaidOfCalls, signalIn, textResult, toolCallOf } from './adapter.ts'
import { CallBlocked } from './errors.ts'
import type { Guard } from './guard.ts'

/** What the adapter needs of what `tool` of `@anthropic-ai/claude-agent-sdk` gives; everything else is left as it is. */
type ToolLike = { readonly name: string; readonly handler: (args: never, extra: unknown) => Promise<unknown> }

export type GuardToolsOptions = {
  /** The name of the server the tools are put into: rules see `mcp__SERVER__NAME`, as Claude does. */
  readonly server: string
  /** What every call of these tools says of itself: principal, session, metadata. */
  readonly call?: SaidOfCalls
}

/**
 * The same tools for `createSdkMcpServer`, each guarded. A blocked call is answered as a tool's failure with the rule's
 * message, which is what Claude reads.
 */
export function guardTools<Tools extends readonly ToolLike[]>(
  guard: Guard,
  tools: Tools,
  { server, call = {} }: GuardToolsOptions,
): Tools {
  return tools.map((tool) => ({
    ...tool,
    handler: async (input: unknown, extra: unknown): Promise<unknown> => {
      const asked = toolCallOf({ tool: `mcp__${server}__${tool.name}`, input, signal: signalIn(extra) }, call)
      try {
        const result = await guard.run<unknown>(asked, (args) => tool.handler(args as never, extra))
        // A rule suppressed the output; what came instead is a text.
        return typeof result === 'string' ? textResult(result, false) : result
      } catch (cause) {
        if (!(cause instanceof CallBlocked)) throw cause
        return textResult(cause.message, true)
      }
    },
  })) as unknown as Tools
}
