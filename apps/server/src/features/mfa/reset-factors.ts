import type { Tx } from '../../kernel/db.ts'
import { notFound } from '../../kernel/problem.ts'
import { findPerson } from '../people/index.ts'
import type { Person, RequestFacts } from '../roles/index.ts'
import { endAllSessions } from '../sessions/index.ts'
import { actorOf } from '../trail/index.ts'
import type { FactorNeeds } from './factor-needs.ts'
import { deleteAllFactors } from './factors-table.ts'
import { writeFailures } from './proofs-tables.ts'

type Needs = Pick<FactorNeeds, 'kernel' | 'recordAct'>

/** What an administrator does for somebody who lost every factor, or is locked. */
export function resetFactors({ kernel, recordAct }: Needs) {
  const { db, bus } = kernel
  const known = async (tx: Tx, tenant: string, person: string): Promise<void> => {
    if (!(await findPerson(tx, tenant, person))) throw notFound('person')
  }

  /** All factors, codes, browsers and sessions go: whoever holds one of them now may be somebody else. */
  const clear = async (tx: Tx, tenant: string, person: string) => {
    await known(tx, tenant, person)
    const removed = await deleteAllFactors(tx, tenant, person)
    await unlockState(tx, tenant, person)
    const sessionsEnded = await endAllSessions(tx, bus, tenant, person)
    await bus.announce(tx, { topic: 'person.changed', tenant, body: { person_id: person } })
    return { removed, sessionsEnded }
  }
  const unlockState = (tx: Tx, tenant: string, person: string): Promise<void> =>
    writeFailures(tx, tenant, person, { failures: 0, failedAt: null, nextTryAt: null, lockedUntil: null })

  return {
    reset: (who: Person, person: string, facts: RequestFacts) =>
      db.inTx(async (tx) => {
        const done = await clear(tx, who.tenant, person)
        await recordAct(tx, {
          ...actorOf(who),
          tenant: who.tenant,
          act: 'factors.reset',
          subject: { kind: 'person', id: person },
          request: facts,
          details: { removed: done.removed, sessions_ended: done.sessionsEnded },
        })
        return done
      }),

    /** From the server's own machine, when no administrator can sign in any more. */
    resetFromMachine: (tenant: string, person: string) =>
      db.inTx(async (tx) => {
        const done = await clear(tx, tenant, person)
        await recordAct(tx, {
          tenant,
          act: 'factors.reset',
          actor: { kind: 'system', id: 'command_line' },
          subject: { kind: 'person', id: person },
          details: { removed: done.removed, sessions_ended: done.sessionsEnded },
        })
        return done
      }),

    unlock: (who: Person, person: string, facts: RequestFacts): Promise<void> =>
      db.inTx(async (tx) => {
        await known(tx, who.tenant, person)
        await unlockState(tx, who.tenant, person)
        await recordAct(tx, {
          ...actorOf(who),
          tenant: who.tenant,
          act: 'factors.unlocked',
          subject: { kind: 'person', id: person },
          request: facts,
        })
      }),
  }
}
