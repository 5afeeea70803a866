import type { GuardProblem } from './guard-options.ts'
import { type Clock, chance, type Stop } from './host.ts'
import { type Server, ServerAnswered } from './server.ts'
import type { Batch, Spool } from './spool.ts'

/** Brings what is in the spool to the server, oldest first, until the server has said that it has it. */
export type Delivery = {
  /** Something was appended. */
  readonly wake: () => void
  /** The agent runs another revision: told with the next delivery, and again until one succeeds. */
  readonly announce: (manifest: object) => void
  /** Delivers at once what is there. Resolves to whether all of it went. */
  readonly flush: () => Promise<boolean>
  readonly lostEvents: () => number
  readonly stop: () => Promise<void>
}

type Needs = {
  readonly spool: Spool
  readonly server: Pick<Server, 'request'>
  readonly clock: Clock
  readonly onProblem: (problem: GuardProblem) => void
}

const linesMax = 500
const gatherMs = 1_000
const retryMsMin = 1_000
const retryMsMax = 60_000

export function deliverEvents({ spool, server, clock, onProblem }: Needs): Delivery {
  const stopping = new AbortController()
  let timer: Stop | undefined
  let sending: Promise<boolean> | undefined
  let failures = 0
  let lost = 0
  let batchMax = linesMax
  let manifest: object | undefined

  const plan = (delayMs: number): void => {
    if (stopping.signal.aborted) return
    timer ??= clock.after(delayMs, () => {
      timer = undefined
      void flush()
    })
  }

  const flush = (): Promise<boolean> => {
    timer?.()
    timer = undefined
    sending ??= sendAll().finally(() => {
      sending = undefined
    })
    return sending
  }

  /** Never rejects: what cannot be delivered stays where it is. */
  const sendAll = async (): Promise<boolean> => {
    try {
      for (;;) {
        const batch = spool.next(batchMax)
        if (!batch && manifest === undefined) return true
        const told = manifest
        const took = await send(batch, told)
        if (took === 'all' && manifest === told) manifest = undefined
        if (took !== 'nothing' && batch) spool.done(batch)
        failures = 0
        if (took !== 'nothing') batchMax = linesMax
      }
    } catch (cause) {
      if (stopping.signal.aborted) return false
      failures += 1
      if (failures === 1) {
        const message = `Events cannot be delivered and are kept on disk: ${cause instanceof Error ? cause.message : String(cause)}`
        onProblem({ kind: isRefusal(cause) ? 'key_refused' : 'server_unreachable', message, cause })
      }
      plan(retryDelayMs(cause))
      return false
    }
  }

  const send = async (batch: Batch | undefined, told: object | undefined): Promise<'all' | 'batch' | 'nothing'> => {
    const parts = [`"events":[${batch?.lines.join(',') ?? ''}]`]
    if (told !== undefined) parts.push(`"agent_manifest":${JSON.stringify(told)}`)
    let answer: Awaited<ReturnType<Server['request']>>
    try {
      answer = await server.request('POST', '/events', { body: `{${parts.join(',')}}`, signal: stopping.signal })
    } catch (cause) {
      if (!batch || !isUnreadable(cause)) throw cause
      return narrow(batch, cause)
    }
    const rejected = Array.isArray(answer['rejected']) ? answer['rejected'].length : 0
    if (rejected > 0) refused(rejected, 'The server did not take them.')
    return 'all'
  }

  /** One line that no server can read must not hold up the others for ever: the batch is halved until it stands alone. */
  const narrow = ({ lines }: Batch, cause: unknown): 'batch' | 'nothing' => {
    if (lines.length > 1) {
      batchMax = Math.max(1, Math.floor(lines.length / 2))
      return 'nothing'
    }
    refused(1, cause instanceof Error ? cause.message : String(cause))
    return 'batch'
  }

  const refused = (count: number, why: string): void => {
    lost += count
    onProblem({ kind: 'events_refused', message: `${count} events were refused: ${why}` })
  }

  const retryDelayMs = (cause: unknown): number => {
    const asked = cause instanceof ServerAnswered ? (cause.retryAfterSeconds ?? 0) * 1_000 : 0
    const backOff = Math.min(retryMsMax, retryMsMin * 2 ** Math.min(failures - 1, 10))
    return Math.max(asked, backOff * (0.5 + chance() / 2))
  }

  return {
    wake: () => {
      // While deliveries fail the pace is theirs.
      if (failures === 0) plan(gatherMs)
    },
    announce: (given) => {
      manifest = given
      if (failures === 0) plan(0)
    },
    flush,
    lostEvents: () => lost,
    stop: async () => {
      timer?.()
      stopping.abort()
      await sending
    },
  }
}

/** The body itself is at fault, as after damage on the disk. */
function isUnreadable(cause: unknown): boolean {
  return cause instanceof ServerAnswered && [400, 413, 422].includes(cause.status)
}

function isRefusal(cause: unknown): boolean {
  return cause instanceof ServerAnswered && (cause.status === 401 || cause.status === 403)
}
