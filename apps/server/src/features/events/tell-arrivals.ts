import type { Bus } from '../../kernel/bus.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Db } from '../../kernel/db.ts'
import type { Log } from '../../kernel/log.ts'

type Needs = {
  readonly db: Db
  readonly bus: Pick<Bus, 'announce'>
  readonly clock: Pick<Clock, 'after'>
  readonly log: Log
}

type News = { accepted: number; readonly environments: Set<string>; readonly agents: Set<string> }

const everyMs = 400
const agentsMax = 50

/** Tells consoles that events arrived, at most a few times a second a tenant, however many there were. */
export function tellArrivals({ db, bus, clock, log }: Needs) {
  const waiting = new Map<string, News>()

  const tell = async (tenant: string): Promise<void> => {
    const news = waiting.get(tenant)
    waiting.delete(tenant)
    if (!news) return
    const body = { accepted: news.accepted, environments: [...news.environments], agents: [...news.agents] }
    try {
      await db.inTx((tx) => bus.announce(tx, { topic: 'events.arrived', tenant, body }))
    } catch (err) {
      // The events are stored; an open page learns of them with the next ones.
      log.debug({ err }, 'An arrival of events could not be announced')
    }
  }

  return (tenant: string, environment: string, agents: readonly string[], accepted: number): void => {
    let news = waiting.get(tenant)
    if (!news) {
      news = { accepted: 0, environments: new Set(), agents: new Set() }
      waiting.set(tenant, news)
      clock.after(everyMs, () => tell(tenant))
    }
    news.accepted += accepted
    news.environments.add(environment)
    for (const agent of agents) if (news.agents.size < agentsMax) news.agents.add(agent)
  }
}
