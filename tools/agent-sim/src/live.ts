import { setTimeout as pause } from 'node:timers/promises'
import { chance } from './chance.ts'
import type { SimAgent } from './sim-agent.ts'
import { nextCall, type Resident } from './world.ts'

/** At most so many calls of one agent wait for a human at a time; the others go on meanwhile. */
const heldMax = 2

export type Inhabitant = { readonly resident: Resident; readonly agent: SimAgent }

/** Reports what the agent did over the past hours, as it would after an outage: the same rules, older times. */
export async function remember({ resident, agent }: Inhabitant, hours: number, seed: number): Promise<void> {
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
export async function live({ resident, agent }: Inhabitant, seed: number, signal: AbortSignal): Promise<void> {
  const dice = chance(seed)
  const held = new Set<Promise<unknown>>()
  while (!signal.aborted) {
    await pause(resident.pace * 1000 * (0.5 + dice.next()), undefined, { signal }).catch(() => undefined)
    if (signal.aborted) break
    const next = nextCall(resident, dice)
    const asks = agent.decide(next).verdict === 'ask'
    if (asks && held.size >= heldMax) continue
    const done = agent
      .call(next)
      .then(() => agent.flush())
      .catch((cause: unknown) => {
        if (!signal.aborted)
          process.stderr.write(`${resident.agentId}: ${cause instanceof Error ? cause.message : String(cause)}\n`)
      })
      .finally(() => held.delete(done))
    if (asks) held.add(done)
    else await done
  }
}
