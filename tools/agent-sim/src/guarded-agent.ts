import { setTimeout as pause } from 'node:timers/promises'
import { ApprovalDenied, CallBlocked, type Guard, type GuardProblem, guard, type Principal } from '@countersign/agent'
import type { CallAction } from './dialect.ts'
import type { SimAgentOptions, SimCall } from './sim-agent.ts'

export type GuardedAgentOptions = Omit<SimAgentOptions, 'dialect' | 'isDeaf'> & {
  readonly stateDir: string
  readonly onProblem: (problem: GuardProblem) => void
}

/** After so many calls a task is done, and the next one begins with its own limits. */
const callsPerTask = 60

/** An agent on our own SDK: everything between it and the server is the SDK's. */
export class GuardedAgent {
  readonly #guard: Guard
  #calls = 0
  #task = crypto.randomUUID()

  constructor(one: Guard) {
    this.#guard = one
  }

  static async start({ principal, ...options }: GuardedAgentOptions): Promise<GuardedAgent> {
    return new GuardedAgent(await guard({ ...options, ...(principal && { principal: principalOf(principal) }) }))
  }

  async call({ tool, args }: SimCall): Promise<CallAction> {
    this.#calls += 1
    if (this.#calls % callsPerTask === 0) this.#task = crypto.randomUUID()
    const workMs = 4 + (this.#calls % 37) * 3
    try {
      await this.#guard.run({ tool, args, sessionId: this.#task }, () => pause(workMs, 'done'))
      return 'call_executed'
    } catch (cause) {
      if (cause instanceof ApprovalDenied) {
        return cause.code === 'approval_timed_out' ? 'call_approval_timeout' : 'call_approval_blocked'
      }
      if (cause instanceof CallBlocked) return 'call_blocked'
      throw cause
    }
  }

  get revision(): string {
    return this.#guard.status().revision
  }

  async stop(): Promise<void> {
    await this.#guard.close()
  }
}

/** Residents are written in the words of the wire. */
function principalOf({ user_id, service_id, role, ticket_ref }: Readonly<Record<string, unknown>>): Principal {
  return {
    ...(typeof user_id === 'string' && { userId: user_id }),
    ...(typeof service_id === 'string' && { serviceId: service_id }),
    ...(typeof role === 'string' && { role }),
    ...(typeof ticket_ref === 'string' && { ticketRef: ticket_ref }),
  }
}
