import { setTimeout as pause } from 'node:timers/promises'
import {
  type Compiled,
  compile,
  decidePre,
  type JsonObject,
  type PreDecision,
  parseRuleset,
  sideEffectOf,
} from '@countersign/rules'
import type { CallAction, Dialect, SimEvent } from './dialect.ts'
import { readStream, type StreamEvent } from './read-stream.ts'

export type SimAgentOptions = {
  readonly url: string
  readonly key: string
  readonly agentId: string
  readonly environment: string
  readonly dialect: Dialect
  /** The ruleset it asks for; without one the server assigns. */
  readonly ruleset?: string
  readonly tags?: Readonly<Record<string, string>>
  /** Takes its first ruleset and ignores every later one, as an agent whose watch died does. */
  readonly isDeaf?: boolean
  readonly principal?: Readonly<Record<string, unknown>>
}

export type SimCall = { readonly tool: string; readonly args: JsonObject }

type Loaded = {
  readonly name: string
  readonly hash: string
  readonly compiled: Compiled
  readonly source: ReturnType<typeof parseRuleset>
}

type Reported = SimCall & {
  readonly callId: string
  readonly action: CallAction
  readonly at: Date
  readonly decision: PreDecision
  readonly loaded: Loaded
}

/** How many events are kept for one request, as the SDKs do. */
const batchMax = 50

/** An agent in miniature: it follows the stream, obeys the ruleset it was sent, asks for approvals and reports. */
export class SimAgent {
  readonly options: SimAgentOptions
  #loaded: Loaded | undefined
  #events: Readonly<Record<string, unknown>>[] = []
  #calls = 0
  #stop = new AbortController()
  #streaming: Promise<void> | undefined
  #session = crypto.randomUUID()

  constructor(options: SimAgentOptions) {
    this.options = options
  }

  get revision(): string | undefined {
    return this.#loaded?.hash
  }

  /** Opens the stream and resolves when the first ruleset has arrived. */
  async start(): Promise<void> {
    this.#streaming = this.#follow()
    for (let waited = 0; !this.#loaded; waited += 50) {
      if (waited > 30_000) throw new Error(`${this.options.agentId} got no ruleset within 30 s`)
      await pause(50)
    }
  }

  async stop(): Promise<void> {
    await this.flush()
    this.#stop.abort()
    await this.#streaming?.catch(() => undefined)
  }

  /** One guarded call: counted, decided, perhaps held for a human, and reported. Answers what became of it. */
  async call(call: SimCall): Promise<CallAction> {
    const action = await this.#guard(call, new Date(), (decision) => this.#askHuman(call, decision))
    await this.flush()
    return action
  }

  /** The same with a given answer in place of a human's, for what happened at another time. */
  callWithAnswer(call: SimCall, at: Date, isGranted: boolean): Promise<CallAction> {
    return this.#guard(call, at, () => Promise.resolve(isGranted ? 'call_approval_granted' : 'call_approval_blocked'))
  }

  async #guard(
    { tool, args }: SimCall,
    at: Date,
    ask: (decision: PreDecision) => Promise<CallAction>,
  ): Promise<CallAction> {
    const loaded = this.#loaded
    if (!loaded) throw new Error(`${this.options.agentId} has no ruleset yet`)
    const decision = this.decide({ tool, args })
    const callId = crypto.randomUUID()
    const say = (action: CallAction, more: Partial<SimEvent> = {}): void => {
      this.#report({ callId, tool, args, action, at, decision, loaded }, more)
    }
    for (const found of decision.observed)
      say('call_would_block', { mode: 'observe', rule: found.name, reason: found.message })
    if (decision.verdict === 'block') {
      say('call_blocked')
      return 'call_blocked'
    }
    if (decision.verdict === 'ask') {
      say('call_asked')
      const granted = await ask(decision)
      // The human took time; what follows did not happen when the call was made.
      say(granted)
      if (granted !== 'call_approval_granted') return granted
    } else say('call_allowed', { rule: null, reason: null, source: null })
    this.#calls += 1
    say('call_executed', {
      rule: null,
      reason: null,
      source: null,
      durationMs: 4 + (this.#calls % 37) * 3,
      succeeded: true,
    })
    return 'call_executed'
  }

  decide({ tool, args }: SimCall): PreDecision {
    const { environment, principal } = this.options
    if (!this.#loaded) throw new Error(`${this.options.agentId} has no ruleset yet`)
    const role = principal?.['role']
    return decidePre(
      this.#loaded.compiled,
      { tool, args, environment, principal: principal ? { role: typeof role === 'string' ? role : null } : null },
      { counters: { attempts: 0, executions: 0, perTool: {} } },
    )
  }

  async flush(): Promise<void> {
    while (this.#events.length > 0) {
      const events = this.#events.slice(0, batchMax)
      await this.#request('POST', '/events', { events })
      this.#events = this.#events.slice(events.length)
    }
  }

  #report({ callId, tool, args, action, at, decision, loaded }: Reported, more: Partial<SimEvent>): void {
    const { agentId, environment, dialect, principal } = this.options
    const { decidedBy } = decision
    const tools = loaded.source.ok ? new Map(loaded.source.ruleset.tools.map((one) => [one.name, one])) : new Map()
    const event: SimEvent = {
      callId,
      agentId,
      environment,
      sessionId: this.#session,
      tool,
      args,
      sideEffect: sideEffectOf({ tool, args }, tools),
      action,
      mode: 'enforce',
      at: at.toISOString(),
      revision: loaded.hash,
      ruleset: loaded.name,
      rule: decidedBy?.name ?? null,
      source: decidedBy?.source ?? null,
      reason: decidedBy?.message ?? null,
      principal: principal ?? null,
      durationMs: null,
      succeeded: null,
      ...more,
    }
    this.#events.push(dialect.event(event, dialect.words))
  }

  async #askHuman({ tool, args }: SimCall, { decidedBy, hold }: PreDecision): Promise<CallAction> {
    const { dialect } = this.options
    const timeout = hold?.timeoutSeconds ?? 300
    await this.flush()
    const asked = await this.#request('POST', '/approvals', {
      agent_id: this.options.agentId,
      tool_name: tool,
      tool_args: args,
      message: decidedBy?.message ?? 'Approval needed',
      timeout,
      ...dialect.onTimeout(hold?.timeoutAction ?? 'block'),
      ...(dialect.name === 'D' && { session_id: this.#session }),
    })
    for (;;) {
      if (this.#stop.signal.aborted) return 'call_approval_timeout'
      const { status } = await this.#request('GET', `/approvals/${String(asked['id'])}`)
      if (status === 'approved') return 'call_approval_granted'
      if (status === 'denied') return 'call_approval_blocked'
      if (status === 'timeout')
        return hold?.timeoutAction === 'allow' ? 'call_approval_granted' : 'call_approval_timeout'
      await pause(1000, undefined, { signal: this.#stop.signal }).catch(() => undefined)
    }
  }

  async #follow(): Promise<void> {
    const { url, environment, ruleset, tags, dialect, agentId } = this.options
    for (let wait = 500; !this.#stop.signal.aborted; wait = Math.min(wait * 2, 10_000)) {
      const query = new URLSearchParams({ env: environment })
      if (ruleset !== undefined) query.set('bundle_name', ruleset)
      if (this.#loaded) query.set('policy_version', this.#loaded.hash)
      if (tags) query.set('tags', JSON.stringify(tags))
      try {
        await readStream(
          `${url}${dialect.prefix}/stream?${query.toString()}`,
          this.#headers(),
          this.#stop.signal,
          (event) => this.#hear(event),
        )
        wait = 250
      } catch (cause) {
        if (this.#stop.signal.aborted) return
        process.stderr.write(
          `${agentId}: the stream broke (${cause instanceof Error ? cause.message : String(cause)}), trying again\n`,
        )
      }
      await pause(wait, undefined, { signal: this.#stop.signal }).catch(() => undefined)
    }
  }

  async #hear({ name, data }: StreamEvent): Promise<void> {
    if (name !== 'contract_update') return
    if (this.#loaded && this.options.isDeaf) return
    const update = JSON.parse(data) as { bundle_name: string; yaml_bytes?: string; revision_hash?: string }
    const body = update.yaml_bytes === undefined ? await this.#fetch(update.bundle_name) : update
    this.#load(update.bundle_name, Buffer.from(body.yaml_bytes ?? '', 'base64'), body.revision_hash ?? '')
  }

  async #fetch(name: string): Promise<{ yaml_bytes?: string; revision_hash?: string }> {
    return this.#request('GET', `/${this.options.dialect.rulesets}/${name}/current`)
  }

  #load(name: string, bytes: Buffer, hash: string): void {
    const source = parseRuleset(bytes)
    // Like an SDK: what cannot be loaded leaves the rules that run.
    if (!source.ok) throw new Error(`ruleset ${name} does not load: ${source.diagnostics[0]?.message ?? ''}`)
    this.#loaded = { name, hash, compiled: compile(source.ruleset), source }
  }

  #headers(): Record<string, string> {
    return {
      authorization: `Bearer ${this.options.key}`,
      'x-edictum-agent-id': this.options.agentId,
      'content-type': 'application/json',
    }
  }

  async #request(method: string, path: string, body?: unknown): Promise<Record<string, string>> {
    const response = await fetch(`${this.options.url}${this.options.dialect.prefix}${path}`, {
      method,
      headers: this.#headers(),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`)
    return JSON.parse(text) as Record<string, string>
  }
}
