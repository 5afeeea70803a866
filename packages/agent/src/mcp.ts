import { type SaidOfCalls, signalIn, textResult } from './adapter.ts'
import { CallBlocked } from './errors.ts'
import type { Guard } from './guard.ts'

/** What the adapter needs of a client of `@modelcontextprotocol/sdk`. */
type ClientLike = {
  readonly callTool: (...args: never) => Promise<unknown>
  readonly request: (...args: never) => Promise<unknown>
}

export type GuardClientOptions = {
  /** Puts `mcp__SERVER__` before each tool's name, so that rules can tell the servers of an agent apart. */
  readonly server?: string
  /** What every call says of itself: principal, session, metadata. */
  readonly call?: SaidOfCalls
  /** Answers a blocked call as a tool's failure, for loops that hand results to a model and expect no exception. */
  readonly blockedAsResult?: boolean
}

type Params = { readonly name: string; readonly arguments?: object; readonly [more: string]: unknown }
type Method = (...args: readonly unknown[]) => Promise<unknown>

/**
 * The same client, its tool calls guarded, whichever way they are made. What cannot be guarded is refused: streamed calls
 * of the experimental part begin before they can be judged.
 */
export function guardClient<Client extends ClientLike>(
  guard: Guard,
  client: Client,
  options: GuardClientOptions = {},
): Client {
  const guarded = (params: Params, signal: AbortSignal | undefined, send: (params: Params) => Promise<unknown>) =>
    callTool(guard, params, signal, send, options)

  const callToolGuarded: Method = async (params, schema, options) =>
    guarded(params as Params, signalIn(options), (checked) => (client.callTool as Method)(checked, schema, options))

  const requestGuarded: Method = async (request, schema, options) => {
    const { method, params } = request as { readonly method: string; readonly params?: Params }
    if (method !== 'tools/call') return (client.request as Method)(request, schema, options)
    return guarded(params ?? { name: '' }, signalIn(options), (checked) =>
      (client.request as Method)({ ...(request as object), params: checked }, schema, options),
    )
  }

  return new Proxy(client, {
    get: (target, name) => {
      if (name === 'callTool') return callToolGuarded
      if (name === 'request') return requestGuarded
      if (name === 'requestStream' || name === 'experimental') {
        throw new TypeError(`client.${name} cannot be guarded. Use callTool.`)
      }
      // Its own methods are called on it and not on what stands before it.
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

async function callTool(
  guard: Guard,
  params: Params,
  signal: AbortSignal | undefined,
  send: (params: Params) => Promise<unknown>,
  { server, call = {}, blockedAsResult = false }: GuardClientOptions,
): Promise<unknown> {
  const tool = server === undefined ? params.name : `mcp__${server}__${params.name}`
  const asked = { ...call, tool, ...(params.arguments && { args: params.arguments }), ...(signal && { signal }) }
  try {
    const result = await guard.run<unknown>(asked, (args) => send({ ...params, arguments: args }))
    // A rule suppressed the output; what came instead is a text.
    return typeof result === 'string' ? textResult(result, false) : result
  } catch (cause) {
    if (!blockedAsResult || !(cause instanceof CallBlocked)) throw cause
    return textResult(cause.message, true)
  }
}
