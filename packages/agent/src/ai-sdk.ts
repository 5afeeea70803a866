import { type SaidOfCalls, toolCallOf } from './adapter.ts'
import type { Guard } from './guard.ts'

/** What the adapter needs of a tool of the `ai` package; everything else of it is left as it is. */
type ToolLike = {
  // The package types a tool's arguments per tool; whatever they are, they are passed on as they were judged.
  readonly execute?: ((input: never, options: never) => unknown) | undefined
}

type CallOptions = { readonly toolCallId?: string; readonly abortSignal?: AbortSignal }

export type GuardToolsOptions = {
  /** What every call of these tools says of itself: principal, session, metadata. */
  readonly call?: SaidOfCalls
  /** Tools that the model's provider runs, or the page: nothing here can stop them, and you know it. */
  readonly ungoverned?: readonly string[]
}

/**
 * The same tools for `generateText`, `streamText` and agents of Vercel's AI SDK, each guarded under its name. A blocked
 * call fails with `CallBlocked`, which the SDK hands to the model as the tool's error, so that it can do something else.
 */
export function guardTools<Tools extends Readonly<Record<string, ToolLike>>>(
  guard: Guard,
  tools: Tools,
  { call = {}, ungoverned = [] }: GuardToolsOptions = {},
): Tools {
  const guarded = Object.entries(tools).map(([name, tool]) => {
    const { execute } = tool
    if (execute !== undefined) return [name, { ...tool, execute: guardExecute(guard, name, execute, call) }]
    if (ungoverned.includes(name)) return [name, tool]
    throw new TypeError(
      `The tool ${name} is not run here, so it cannot be guarded. Name it in ungoverned to let it pass.`,
    )
  })
  return Object.fromEntries(guarded) as Tools
}

function guardExecute(
  guard: Guard,
  tool: string,
  execute: NonNullable<ToolLike['execute']>,
  call: NonNullable<GuardToolsOptions['call']>,
) {
  return (input: object, options: CallOptions): Promise<unknown> => {
    const { abortSignal, toolCallId } = options
    return guard.run(toolCallOf({ tool, input, toolCallId, signal: abortSignal }, call), async (args) =>
      lastOf(await execute(args as never, options as never)),
    )
  }
}

/** A tool may yield what it has so far; what counts, and what rules for results look at, is the last. */
async function lastOf(result: unknown): Promise<unknown> {
  if (typeof result !== 'object' || result === null || !(Symbol.asyncIterator in result)) return result
  let last: unknown
  for await (const part of result as AsyncIterable<unknown>) last = part
  return last
}
