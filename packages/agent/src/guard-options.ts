import type { Principal } from '@countersign/rules'
import type { Ask } from './approvals.ts'
import { copyPrincipal, sessionIdProblem } from './call.ts'
import { isPublicKey } from './crypto.ts'
import { GuardFailed } from './errors.ts'
import type { AgentEvent } from './event.ts'
import { type Clock, processEnvironment, systemClock, warn } from './host.ts'
import type { WorkflowOptions } from './workflow-gates.ts'

type Common = {
  /** On whose behalf calls are made that do not say. */
  readonly principal?: Principal
  /** Whose counters the limits look at, for calls that do not say; one made up for this guard unless given. */
  readonly sessionId?: string
  /** Told every event as it is reported. For tests, traces and screens; what it throws is ignored. */
  readonly onEvent?: (event: AgentEvent) => void
  /** Told what keeps the guard from doing its work; a process warning unless given. */
  readonly onProblem?: (problem: GuardProblem) => void
  /** For rules that ask for `env.NAME`; the process's own unless given. */
  readonly env?: Readonly<Record<string, string>>
  /** What relative paths are relative to, for sandbox rules; the process's own unless given. */
  readonly workingDirectory?: string
  /** Lets rules for results redact and suppress also what came from tools that change something. */
  readonly enforcesOutputOnUnsafe?: boolean
  /** Stages that every session must go through in order. */
  readonly workflow?: WorkflowOptions
  readonly clock?: Clock
}

/** Enforces a file. Nothing leaves the process. */
export type FileOptions = Common & {
  readonly file: string | URL
  readonly agentId?: string
  readonly environment?: string
  /** Who answers when a rule asks; without it such calls are blocked. */
  readonly approve?: Ask
}

/** Enforces what a server rolled out for this agent, and reports to it. */
export type ServerOptions = Common & {
  readonly url: string
  readonly key: string
  readonly agentId: string
  /** Must be the key's; read from the key unless given. */
  readonly environment?: string
  /** The ruleset to follow. Without it the server decides. */
  readonly ruleset?: string
  readonly tags?: Readonly<Record<string, string>>
  /** Signing keys to trust, in hexadecimal. Without them the first one met is trusted from then on. */
  readonly publicKeys?: readonly string[]
  /**
   * What becomes of a revision that was enforced here and then replaced, when the server sends it again. `follow` (the
   * default) enforces it if the server says that it was rolled out anew: how operators step back. That word is not signed;
   * `refuse` does without it, and a step back then needs a new revision.
   */
  readonly stepsBack?: 'follow' | 'refuse'
  /** Where revision, trust and unsent events are kept; a folder below `~/.countersign` unless given. */
  readonly stateDir?: string
  /** `server` shares limits, and where sessions stand in a workflow, and costs two requests a call, or four. */
  readonly counters?: 'local' | 'server'
  /** What becomes of calls that change something while their events cannot be written to disk. */
  readonly whenUnrecorded?: 'block' | 'continue'
  readonly spool?: SpoolOptions
  /** How long the start waits for a first ruleset. */
  readonly startTimeoutMs?: number
  /** How long a request may take, and how long closing waits for the last events to be delivered. */
  readonly requestTimeoutMs?: number
  /** Lets the key travel unencrypted to a host that is not this machine. */
  readonly allowInsecure?: boolean
}

export type SpoolOptions = {
  /** Events waiting on disk take at most this much; 256 MiB unless given. */
  readonly bytesMax?: number
  /**
   * When events reach the medium itself. Every policy survives the death of the process; `interval` (every second, the
   * default) and `never` may lose the newest when the machine loses its power.
   */
  readonly fsync?: 'always' | 'interval' | 'never'
}

export type GuardOptions = FileOptions | ServerOptions

export type GuardProblem = {
  readonly kind:
    | 'server_unreachable'
    | 'key_refused'
    | 'revision_refused'
    | 'workflow_refused'
    | 'state_unusable'
    | 'events_lost'
    | 'events_refused'
    | 'listener_failed'
  readonly message: string
  readonly cause?: unknown
}

const commonNames =
  'principal sessionId onEvent onProblem env workingDirectory enforcesOutputOnUnsafe workflow clock agentId environment'.split(
    ' ',
  )
const fileNames = new Set([...commonNames, 'file', 'approve'])
const serverNames = new Set([
  ...commonNames,
  ...'url key ruleset tags publicKeys stepsBack stateDir counters whenUnrecorded spool startTimeoutMs requestTimeoutMs allowInsecure'.split(
    ' ',
  ),
])

const identifier = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}$/

/** What both kinds of guard have, with everything unsaid filled in. */
export type Settings = {
  readonly agentId: string
  readonly environment: string
  readonly sessionId: string
  readonly principal: Principal | null
  readonly env: Readonly<Record<string, string>>
  readonly workingDirectory: string
  readonly enforcesOutputOnUnsafe: boolean
  readonly exec: WorkflowOptions['exec']
  readonly clock: Clock
  readonly onEvent: ((event: AgentEvent) => void) | undefined
  readonly onProblem: (problem: GuardProblem) => void
}

export function isServer(options: GuardOptions): options is ServerOptions {
  return 'url' in options
}

/** Refuses what is misspelled or cannot work: an option that is silently ignored is a rule that is not enforced. */
export function readSettings(options: GuardOptions): Settings {
  const names = isServer(options) ? serverNames : fileNames
  for (const [name, value] of Object.entries(options)) {
    if (!names.has(name)) {
      const kind = isServer(options) ? 'with a server' : 'with a file'
      throw new GuardFailed(`The option ${name} does not exist ${kind}. There are: ${[...names].sort().join(', ')}.`)
    }
    if (value === undefined) throw new GuardFailed(`The option ${name} is undefined; leave it out instead.`)
  }
  if (isServer(options)) checkServer(options)
  else if (!('file' in options)) throw new GuardFailed('Give a file, or the url of a server with a key and an agentId.')
  const agentId = options.agentId ?? 'default'
  const environment = options.environment ?? (isServer(options) ? environmentOf(options.key) : 'production')
  if (!identifier.test(agentId)) throw new GuardFailed(`agentId must match ${identifier.source}.`)
  if (!identifier.test(environment)) throw new GuardFailed(`environment must match ${identifier.source}.`)
  const sessionId = options.sessionId ?? crypto.randomUUID()
  const problem = sessionIdProblem(sessionId)
  if (problem !== undefined) throw new GuardFailed(problem)
  return {
    agentId,
    environment,
    sessionId,
    principal: principalOf(options),
    env: options.env ?? processEnvironment(),
    workingDirectory: options.workingDirectory ?? process.cwd(),
    enforcesOutputOnUnsafe: options.enforcesOutputOnUnsafe ?? false,
    exec: options.workflow?.exec,
    clock: options.clock ?? systemClock,
    onEvent: options.onEvent,
    onProblem: options.onProblem ?? (({ message }) => warn(message)),
  }
}

function principalOf({ principal }: Common): Principal | null {
  try {
    return copyPrincipal(principal ?? null)
  } catch (cause) {
    throw new GuardFailed(cause instanceof Error ? cause.message : 'The principal cannot be read.', { cause })
  }
}

function checkServer(options: ServerOptions): void {
  const { url, key, ruleset, tags = {}, publicKeys, allowInsecure } = options
  let address: URL
  try {
    address = new URL(url)
  } catch (cause) {
    throw new GuardFailed('url is no address.', { cause })
  }
  if (address.protocol !== 'https:' && address.protocol !== 'http:') throw new GuardFailed('url must be http or https.')
  if (address.protocol === 'http:' && !isLoopback(address.hostname) && allowInsecure !== true) {
    throw new GuardFailed('url is not encrypted. Use https, or say allowInsecure: true.')
  }
  if (typeof key !== 'string' || !/^[\x21-\x7e]+$/.test(key))
    throw new GuardFailed('key must be the text the server showed.')
  if (ruleset !== undefined && !identifier.test(ruleset))
    throw new GuardFailed(`ruleset must match ${identifier.source}.`)
  if (publicKeys !== undefined && (publicKeys.length === 0 || !publicKeys.every(isPublicKey))) {
    throw new GuardFailed('publicKeys must be keys of 64 lower-case hexadecimal digits, at least one.')
  }
  const { stepsBack = 'follow' } = options
  if (stepsBack !== 'follow' && stepsBack !== 'refuse') throw new GuardFailed('stepsBack is follow or refuse.')
  checkTags(tags)
}

function checkTags(tags: Readonly<Record<string, string>>): void {
  const fits = Object.entries(tags).every(
    ([name, value]) => name !== '' && name.length <= 128 && typeof value === 'string' && value.length <= 256,
  )
  if (!fits || Object.keys(tags).length > 64) {
    throw new GuardFailed('tags are at most 64 texts of up to 256 characters, under names of up to 128.')
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

/** Keys carry the name of the environment they belong to. */
function environmentOf(key: string): string {
  const found = /^edk_(.+)_[A-Za-z0-9_-]{43}$/.exec(key)?.[1]
  if (found === undefined) throw new GuardFailed('The key does not name its environment; give it as environment.')
  return found
}
