import { setTimeout as pause } from 'node:timers/promises'
import { chance } from './chance.ts'
import type { CallAction } from './dialect.ts'
import type { SimAgent, SimCall } from './sim-agent.ts'
import { nextCall, type Resident } from './world.ts'

/** At most so many calls of one agent wait for a human at a time; the others go on meanwhile. */
const heldMax = 2
/** What is not done by then waits for somebody. */
const heldAfterMs = 1_500

/** An agent on an older SDK, or on ours. */
export type Worker = {
  readonly call: (call: SimCall) => Promise<CallAction>
  readonly stop: () => Promise<void>
}

/** Reports what the agent did over the past hours, as it would after an outage: the same rules, older times. */
export async function remember(resident: Resident, agent: SimAgent, hours: number, seed: number): Promise<void> {
  const dice = chance(seed)
  const now = Date.now()
  const stepMs = resident.pace * 14_000
  for (let at = now - hours * 3_600_000; at < now - stepMs; at += stepMs * (0.4 + 1.2 * dice.next())) {
    // Busy by day, quiet by night.
    const hour = new Date(at).getUTCHours()
    if (dice.next() > (hour > 6 && hour < 19 ? 0.9 : 0.35)) continue
    await agent.callWithAnswer(nextCall(resident, dice), new Date(at), dice.next() < 0.7)
  }
  await agent.flush()
}

/** Works until stopped: a call now and then, held ones waiting beside it. */
export async function live(resident: Resident, worker: Worker, seed: number, signal: AbortSignal): Promise<void> {
  const dice = chance(seed)
  const held = new Set<Promise<unknown>>()
  const askedAbout = new Set<string>()
  while (!signal.aborted) {
    await pause(resident.pace * 1000 * (0.5 + dice.next()), undefined, { signal }).catch(() => undefined)
    if (signal.aborted) break
    const next = nextCall(resident, dice)
    if (held.size >= heldMax && askedAbout.has(next.tool)) continue
    const done = worker.call(next).catch((cause: unknown) => {
      if (!signal.aborted)
        process.stderr.write(`${resident.agentId}: ${cause instanceof Error ? cause.message : String(cause)}\n`)
    })
    const isDone = await Promise.race([done.then(() => true), pause(heldAfterMs, false, { ref: false })])
    if (isDone) continue
    askedAbout.add(next.tool)
    held.add(done)
    void done.then(() => held.delete(done))
  }
}
