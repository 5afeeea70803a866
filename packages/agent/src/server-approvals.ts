import type { JsonObject } from '@countersign/rules'
import type { Answer, Ask, Question } from './approvals.ts'
import { type Clock, chance } from './host.ts'
import { type Server, ServerAnswered } from './server.ts'

type Needs = {
  readonly server: Pick<Server, 'request'>
  readonly clock: Clock
  readonly agentId: string
  /** Lets the server hear of what came before the question. */
  readonly flush: () => Promise<unknown>
}

/** One poll is answered at once when somebody decides, and after this long when nobody does. */
const waitSecondsMax = 30
/** The server keeps the deadline; so much later it must have said so, or it is away. */
const graceMs = 10_000
const createTries = 3
const retryMsMax = 5_000

/**
 * Asks the people behind the server. Only the server's own word ends the waiting: a deadline that passes while it cannot
 * be reached is a failure, and a rule that allows when nobody answers does not allow when nobody could be asked.
 */
export function askServer({ server, clock, agentId, flush }: Needs): Ask {
  const pause = (milliseconds: number, signal: AbortSignal | undefined): Promise<void> =>
    new Promise((resolve, reject) => {
      const stop = clock.after(milliseconds, () => {
        signal?.removeEventListener('abort', giveUp)
        resolve()
      })
      const giveUp = (): void => {
        stop()
        reject(new Error('the call was given up', { cause: signal?.reason }))
      }
      if (signal?.aborted === true) giveUp()
      else signal?.addEventListener('abort', giveUp, { once: true })
    })

  const create = async (question: Question, signal: AbortSignal | undefined): Promise<string> => {
    const body = JSON.stringify(onWire(question, agentId))
    for (let tried = 1; ; tried += 1) {
      try {
        const { id } = await server.request('POST', '/approvals', { body, signal })
        if (typeof id === 'string' && /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}$/.test(id)) return id
        throw new Error('the server gave the question no id')
      } catch (cause) {
        // Asked once too often a question is left that nobody waits for; not asked at all, a call that could have been made.
        if (tried >= createTries || !mayPass(cause)) throw cause
        await pause(500 * 2 ** tried * (0.5 + chance() / 2), signal)
      }
    }
  }

  const poll = async (id: string, remainingMs: number, signal: AbortSignal | undefined): Promise<JsonObject> => {
    const wait = Math.max(0, Math.min(waitSecondsMax, Math.ceil(remainingMs / 1_000)))
    const timeoutMs = (wait + 15) * 1_000
    return server.request('GET', `/approvals/${encodeURIComponent(id)}?wait=${wait}`, { timeoutMs, signal })
  }

  return async (question, signal) => {
    await flush()
    const approvalId = await create(question, signal)
    const deadlineMs = clock.steadyMs() + question.timeoutSeconds * 1_000
    for (let failures = 0; ; ) {
      const remainingMs = deadlineMs - clock.steadyMs()
      try {
        const answer = answerIn(await poll(approvalId, remainingMs, signal), approvalId)
        if (answer) return answer
        failures = 0
      } catch (cause) {
        if (signal?.aborted === true || !mayPass(cause)) throw cause
        failures += 1
      }
      if (remainingMs <= -graceMs) throw new Error('the server did not say what was decided')
      const delayMs = failures === 0 ? 200 : Math.min(retryMsMax, 250 * 2 ** failures)
      await pause(delayMs * (0.5 + chance() / 2), signal)
    }
  }
}

function onWire(question: Question, agentId: string): object {
  return {
    agent_id: agentId,
    tool_name: question.tool,
    tool_args: question.args,
    message: question.message,
    timeout: question.timeoutSeconds,
    timeout_action: question.onTimeout,
    session_id: question.sessionId,
    rule_name: question.rule,
    decision_source: question.source,
  }
}

/** Undefined while it waits. A word that is not known yet is waiting too, never a yes. */
function answerIn(body: JsonObject, approvalId: string): Answer | undefined {
  const by = textIn(body, 'decided_by')
  const reason = textIn(body, 'decision_reason') ?? textIn(body, 'reason')
  switch (body['status']) {
    case 'approved':
      return { is: 'approved', approvalId, by, reason }
    case 'denied':
    case 'rejected':
      return { is: 'denied', approvalId, by, reason }
    case 'timeout':
    case 'timed_out':
      return { is: 'timed_out', approvalId }
    default:
      return undefined
  }
}

function textIn(body: JsonObject, name: string): string | undefined {
  const value = body[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** What may be over in a moment, as against an answer that will not change. */
function mayPass(cause: unknown): boolean {
  return !(cause instanceof ServerAnswered) || cause.status >= 500
}
