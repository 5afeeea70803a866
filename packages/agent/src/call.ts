import { type JsonObject, type Principal, toolNameProblem } from '@countersign/rules'
import { CallBlocked } from './errors.ts'
import { copyArguments, copyJson, NotJson } from './json-copy.ts'

/** What an agent wants to have done. */
export type ToolCall = {
  readonly tool: string
  /** JSON only. The tool is run with a copy made before the rules were asked. */
  readonly args?: object
  /** On whose behalf; the guard's own principal unless said. */
  readonly principal?: Principal | null
  /** Whose counters the limits look at; the guard's own session unless said. */
  readonly sessionId?: string
  readonly metadata?: object
  readonly callId?: string
  readonly parentCallId?: string
  /** Ends the waiting for a human; a tool that runs is told by whoever passes it on. */
  readonly signal?: AbortSignal
}

/** A call nobody outside can change any more. */
export type FrozenCall = {
  readonly callId: string
  readonly parentCallId: string | undefined
  readonly tool: string
  readonly args: JsonObject
  readonly principal: Principal | null
  readonly sessionId: string
  readonly metadata: JsonObject
  readonly signal: AbortSignal | undefined
}

export type CallDefaults = { readonly sessionId: string; readonly principal: Principal | null }

const noMetadata: JsonObject = Object.freeze({})
const callIdLengthMax = 128

/** Takes a call as it is now. One that cannot be judged is blocked here, before anything is counted. */
export function freezeCall(given: ToolCall, defaults: CallDefaults): FrozenCall {
  const callId = given.callId ?? crypto.randomUUID()
  const refuse = (message: string, cause?: unknown): never => {
    throw new CallBlocked(message, { code: 'bad_call', tool: String(given.tool).slice(0, 200), callId, cause })
  }
  const nameProblem = typeof given.tool === 'string' ? toolNameProblem(given.tool) : 'A tool needs a name.'
  if (nameProblem !== undefined) return refuse(nameProblem)
  if (typeof callId !== 'string' || callId === '' || callId.length > callIdLengthMax) {
    return refuse(`A call id is a text of 1 to ${callIdLengthMax} characters.`)
  }
  const sessionId = given.sessionId ?? defaults.sessionId
  const sessionProblem = sessionIdProblem(sessionId)
  if (sessionProblem !== undefined) return refuse(sessionProblem)
  try {
    return {
      callId,
      parentCallId: given.parentCallId,
      tool: given.tool,
      args: copyArguments(given.args),
      // The guard's own was copied when the guard was made.
      principal: given.principal === undefined ? defaults.principal : copyPrincipal(given.principal),
      sessionId,
      metadata: given.metadata === undefined ? noMetadata : copyArguments(given.metadata),
      signal: given.signal,
    }
  } catch (cause) {
    // A getter of the caller's object may throw anything; nothing was decided yet, so the call ends here.
    return refuse(cause instanceof NotJson ? cause.message : 'The arguments cannot be read.', cause)
  }
}

/** The rule all SDKs share: these signs separate the parts of a counter's key. */
export function sessionIdProblem(id: unknown): string | undefined {
  if (typeof id !== 'string' || id === '') return 'A session id is a text that is not empty.'
  if (id.length > 1_000) return 'A session id has at most 1000 characters.'
  return /[\u0000-\u001f\u007f/\\:]/.test(id)
    ? 'A session id has no control characters, slashes, backslashes or colons.'
    : undefined
}

/** Checked once where it is given, so that a misspelled field is not a principal without a role. */
export function copyPrincipal(principal: Principal | null): Principal | null {
  if (principal === null) return null
  const copied = copyJson(principal, 'principal')
  if (typeof copied !== 'object' || copied === null || Array.isArray(copied))
    throw new NotJson('principal must be an object.')
  for (const [name, value] of Object.entries(copied)) {
    if (!fields.has(name)) throw new NotJson(`principal.${name} is unknown; there are ${[...fields].join(', ')}.`)
    const isClaims = name === 'claims'
    const fits = isClaims ? typeof value === 'object' && value !== null : value === null || typeof value === 'string'
    if (!fits) throw new NotJson(`principal.${name} must be ${isClaims ? 'an object' : 'a text'}.`)
  }
  return copied as Principal
}

const fields = new Set(['userId', 'serviceId', 'orgId', 'role', 'ticketRef', 'claims'])
