import type { JsonObject } from '@countersign/trail'
import type { Clock } from '../../kernel/clock.ts'
import type { Db } from '../../kernel/db.ts'
import type { Log } from '../../kernel/log.ts'
import type { Principal, RecordRefusal } from '../roles/index.ts'
import type { Act, RequestFacts } from './act.ts'
import type { RecordAct } from './record-act.ts'
import { findOnlyTenant } from './trail-tables.ts'

type Needs = {
  readonly db: Pick<Db, 'query'>
  readonly record: RecordAct
  readonly log: Log
  readonly clock: Pick<Clock, 'now'>
  /** New addresses or routes of unknown callers a minute that get an entry of their own; a flood from everywhere gets one. */
  readonly strangersMax?: number
}

type Refusal = Parameters<RecordRefusal>[0]

/** The same caller refused the same thing: the first is an entry of its own, the others are counted for a minute. */
type Repeats = {
  readonly refusal: Refusal
  readonly since: Date
  last: Date
  count: number
}

export type Refusals = {
  readonly record: RecordRefusal
  /** Periodic work: writes the counts of minutes that are over. */
  readonly settle: () => Promise<void>
  /** Writes all counts there are, for a process that ends. */
  readonly close: () => Promise<void>
}

const windowMs = 60_000
/** Addresses told apart in such a flood; beyond it "at least". */
const addressesMax = 10_000

type Crowd = { since: Date; last: Date; count: number; readonly addresses: Set<string> }

/**
 * Writes refused requests into the trail. Whoever was refused is refused either way, so that a failure here is told to
 * the log and to nobody else. What comes again and again is one entry and a count: strangers must not be able to fill
 * the record, and not one refusal may go unmentioned.
 */
export function recordRefusals({ db, record, log, clock, strangersMax = 2_000 }: Needs): Refusals {
  const windows = new Map<string, Repeats>()
  let due: Repeats[] = []
  let crowd: Crowd | undefined
  let strangers = { since: 0, count: 0 }

  const isCrowded = (now: Date): boolean => {
    if (now.getTime() - strangers.since >= windowMs) strangers = { since: now.getTime(), count: 0 }
    strangers.count += 1
    return strangers.count > strangersMax
  }

  const joinCrowd = ({ facts }: Refusal, now: Date): void => {
    crowd ??= { since: now, last: now, count: 0, addresses: new Set() }
    crowd.last = now
    crowd.count += 1
    if (crowd.addresses.size < addressesMax) crowd.addresses.add(facts.address)
  }

  const write = async ({ who, route, code }: Refusal, request: RequestFacts, more: JsonObject): Promise<void> => {
    await record(db, {
      // While there is one tenant, strangers at its door are its business.
      tenant: who?.tenant ?? (await findOnlyTenant(db)),
      act: 'route.refused',
      outcome: 'refused',
      subject: { kind: 'route', id: `${route.method} ${route.path}` },
      request,
      details: {
        code,
        does: route.does,
        ...(who?.is === 'agent' && who.agentId !== undefined && { agent_id: who.agentId }),
        ...more,
      },
      ...actorOf(who),
    })
  }

  const writeRepeats = ({ refusal, since, last, count }: Repeats): Promise<void> => {
    const { address, userAgent } = refusal.facts
    // Many requests, so no one request's id.
    const repeated = { repeated: count, since: since.toISOString(), until: last.toISOString() }
    return write(refusal, { address, userAgent }, repeated)
  }

  const writeCrowd = ({ since, last, count, addresses }: Crowd): Promise<void> =>
    record(db, {
      tenant: null,
      act: 'route.refused',
      outcome: 'refused',
      actor: { kind: 'anyone', id: '-' },
      subject: { kind: 'route', id: 'many' },
      details: {
        repeated: count,
        addresses: addresses.size,
        addresses_are_more: addresses.size >= addressesMax,
        since: since.toISOString(),
        until: last.toISOString(),
      },
    })

  const settle = async (before: number): Promise<void> => {
    for (const [key, repeats] of windows) {
      if (repeats.since.getTime() > before) continue
      windows.delete(key)
      if (repeats.count > 0) due.push(repeats)
    }
    // What cannot be written now is tried again by the next pass.
    for (let next = due[0]; next; next = due[0]) {
      await writeRepeats(next)
      due = due.slice(1)
    }
    await settleCrowd(before)
  }

  const settleCrowd = async (before: number): Promise<void> => {
    if (!crowd || crowd.since.getTime() > before) return
    const { count } = crowd
    await writeCrowd(crowd)
    // More may have joined while it was written.
    crowd = crowd.count === count ? undefined : { ...crowd, since: crowd.last, count: crowd.count - count }
  }

  return {
    record: async (refusal) => {
      const now = clock.now()
      const key = keyOf(refusal)
      const open = windows.get(key)
      if (open && now.getTime() - open.since.getTime() < windowMs) {
        open.count += 1
        open.last = now
        return
      }
      if (open && open.count > 0) due.push(open)
      windows.delete(key)
      if (refusal.who === undefined && isCrowded(now)) {
        joinCrowd(refusal, now)
        return
      }
      const opened: Repeats = { refusal, since: now, last: now, count: 0 }
      windows.set(key, opened)
      try {
        await write(refusal, refusal.facts, {})
      } catch (err) {
        log.error({ err, request: refusal.facts.id }, 'A refusal could not be written into the trail')
        // It is counted, and so written as soon as anything can be.
        opened.count += 1
      }
    },
    settle: () => settle(clock.now().getTime() - windowMs),
    close: () => settle(Number.POSITIVE_INFINITY),
  }
}

/** Who was refused what, from where. */
function keyOf({ who, route, code, facts }: Refusal): string {
  const { actor } = actorOf(who)
  return JSON.stringify([who?.tenant ?? '', actor.kind, actor.id, facts.address, route.method, route.path, code])
}

/** Who acted, as entries name them, with what must be erasable about them. */
export function actorOf(who: Principal | undefined): Pick<Act, 'actor' | 'personal'> {
  if (who === undefined) return { actor: { kind: 'anyone', id: '-' } }
  switch (who.is) {
    case 'person':
      return {
        actor: { kind: 'person', id: who.id, credential: 'session', key_id: who.sessionId },
        personal: { actor: { email: who.email, name: who.name } },
      }
    case 'token':
      return { actor: { kind: 'api_token', id: who.id, credential: 'api_token', key_id: who.prefix } }
    case 'agent':
      return { actor: { kind: 'agent_key', id: who.keyId, credential: 'agent_key', key_id: who.keyId } }
  }
}
