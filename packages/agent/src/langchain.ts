import { inputOf, type SaidOfCalls, toolCallOf } from './adapter.ts'
import { CallBlocked } from './errors.ts'
import type { Guard } from './guard.ts'

/** What the adapter needs of a tool of `@langchain/core`. */
type ToolLike = { readonly name: string; readonly invoke: (...args: never) => Promise<unknown> }

/** Where each kind of tool does its work, behind the check of its input; the package protects it. */
type Work = (input: unknown, manager: unknown, config?: Config) => unknown
type Config = { readonly signal?: AbortSignal; readonly toolCall?: { readonly id?: string } }
type Worker = { readonly name: string; readonly _call: Work; readonly responseFormat?: string }

export type GuardToolsOptions = {
  /** What every call of these tools says of itself: principal, session, metadata. */
  readonly call?: SaidOfCalls
  /** Answers a blocked call with its message as the tool's result, for loops that end when a tool throws. */
  readonly blockedAsResult?: boolean
}

/** The same tools for models, agents and tool nodes of LangChain.js and LangGraph.js, each guarded under its name. */
export function guardTools<Tools extends readonly ToolLike[]>(
  guard: Guard,
  tools: Tools,
  options: GuardToolsOptions = {},
): Tools {
  return tools.map((tool) => guardTool(guard, tool as unknown as Worker, options)) as unknown as Tools
}

function guardTool(guard: Guard, tool: Worker, { call = {}, blockedAsResult = false }: GuardToolsOptions): Worker {
  const { name } = tool
  if (typeof (tool as Partial<Worker>)._call !== 'function') {
    throw new TypeError(`The tool ${name} is not run by LangChain's own tool class, so it cannot be guarded.`)
  }
  // A tool may give its content and something beside it; what is said in its stead is the content alone.
  const said = (text: string): unknown => (tool.responseFormat === 'content_and_artifact' ? [text, undefined] : text)
  const work: Work = async (input, manager, config) => {
    const asked = toolCallOf({ tool: name, input, toolCallId: config?.toolCall?.id, signal: config?.signal }, call)
    try {
      const result = await guard.run(asked, async (args) =>
        lastOf(await tool._call(inputOf(input, args), manager, config)),
      )
      return typeof result === 'string' ? said(result) : result
    } catch (cause) {
      if (!blockedAsResult || !(cause instanceof CallBlocked)) throw cause
      return said(cause.message)
    }
  }
  // Everything else is the tool's own, what it inherits included.
  return Object.create(tool, { _call: { value: work } }) as Worker
}

/** A tool may tell of its progress; what counts, and what rules for results look at, is what it returns. */
async function lastOf(result: unknown): Promise<unknown> {
  if (typeof result !== 'object' || result === null || !(Symbol.asyncIterator in result) || !('next' in result)) {
    return result
  }
  const steps = result as AsyncGenerator<unknown, unknown>
  for (;;) {
    const { done, value } = await steps.next()
    if (done === true) return value
  }
}
