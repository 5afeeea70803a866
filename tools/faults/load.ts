import { setTimeout as pause } from 'node:timers/promises'

export type Target = { readonly url: string; readonly cookie: string; readonly key: string }

/** What the servers have said yes to; they may never be found to have forgotten any of it. */
export type Acknowledged = { readonly keys: Set<string>; readonly events: Set<string> }

const failurePauseMs = 25
/** Between two requests of a client; with several clients some are under way at most moments. */
const pauseMsMax = 12
const answerMs = 20_000

/**
 * Clients that never stop: management acts and reports of agents, each to any of the servers that live. `name` keeps what
 * one load sends apart from what another sent to the same servers before.
 */
export function startLoad(name: string, targets: () => readonly Target[], clients: number) {
  const acknowledged: Acknowledged = { keys: new Set(), events: new Set() }
  let isOver = false
  let answered = 0
  let unknown = 0

  const send = async (client: number, n: number, path: string, headers: object, body: object): Promise<unknown> => {
    const living = targets()
    const target = living[(client + n) % Math.max(1, living.length)]
    if (!target) throw new Error('no server lives')
    const credential = path.startsWith('/api') ? { cookie: target.cookie } : { authorization: `Bearer ${target.key}` }
    const response = await fetch(`${target.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-requested-with': 'faults', ...credential, ...headers },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(answerMs),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${response.status} ${text.slice(0, 200)}`)
    return JSON.parse(text)
  }

  const makeKey = async (client: number, n: number): Promise<void> => {
    const made = await send(client, n, '/api/v2/keys', {}, { environment: 'staging', label: `${name}-${client}-${n}` })
    if (typeof made === 'object' && made !== null && 'id' in made) acknowledged.keys.add(String(made.id))
  }

  /** Sent again under the same ids until somebody takes them, as agents do. */
  const report = async (client: number, n: number): Promise<void> => {
    const ids = [0, 1, 2].map((place) => `${name}-${client}-${n}-${place}`)
    // Of the machine's clock, as an agent has it; the same at every try.
    const timestamp = new Date(performance.timeOrigin + performance.now()).toISOString()
    const events = ids.map((id) => ({
      call_id: id,
      timestamp,
      agent_id: 'faults',
      tool_name: 't',
      verdict: 'call_allowed',
    }))
    for (let tries = 0; !isOver; tries += 1) {
      try {
        await send(client, n + tries, '/v1/events', { 'x-edictum-agent-id': 'faults' }, { events })
        for (const id of ids) acknowledged.events.add(id)
        return
      } catch {
        unknown += 1
        await pause(failurePauseMs)
      }
    }
  }

  const run = async (client: number): Promise<void> => {
    for (let n = 0; !isOver; n += 1) {
      try {
        await (n % 3 === 2 ? report(client, n) : makeKey(client, n))
        answered += 1
        await pause((n * 5) % pauseMsMax)
      } catch {
        // Killed before, while or after it was done: which of them is what the run finds out.
        unknown += 1
        await pause(failurePauseMs)
      }
    }
  }

  const running = Array.from({ length: clients }, (_, client) => run(client))
  return {
    acknowledged,
    counts: () => ({ answered, unknown }),
    stop: async (): Promise<void> => {
      isOver = true
      await Promise.all(running)
    },
  }
}
