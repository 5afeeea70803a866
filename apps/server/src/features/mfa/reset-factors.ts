import type { Tx } from '../../kernel/db.ts'
import { notFound } from '../../kernel/problem.ts'
import { demandCoverOf, findPerson, type PersonRow } from '../people/index.ts'
import type { Person, RequestFacts } from '../roles/index.ts'
import { endAllSessions } from '../sessions/index.ts'
import { actorOf } from '../trail/index.ts'
import type { FactorNeeds } from './factor-needs.ts'
import { deleteAllFactors } from './factors-table.ts'
import { readReset, writeFailures, writeReset } from './proofs-tables.ts'

type Needs = Pick<FactorNeeds, 'kernel' | 'recordAct'>

export type ResetNotice = { readonly at: Date; readonly by: string | null }

/** What is done for somebody who lost every factor, or is locked; and how they learn of it. */
export function resetFactors({ kernel, recordAct }: Needs) {
  const { db, bus, clock } = kernel
  const known = async (tx: Tx, tenant: string, person: string): Promise<PersonRow> => {
    const found = await findPerson(tx, tenant, person)
    if (!found) throw notFound('person')
    return found
  }

  /** All factors, codes, browsers and sessions go: whoever holds one of them now may be somebody else. */
  const clear = async (tx: Tx, tenant: string, person: string, by: string | null) => {
    const removed = await deleteAllFactors(tx, tenant, person)
    await unlockState(tx, tenant, person)
    if (removed > 0) await writeReset(tx, tenant, person, { at: clock.now(), by })
    const sessionsEnded = await endAllSessions(tx, bus, tenant, person)
    await bus.announce(tx, { topic: 'person.changed', tenant, body: { person_id: person } })
    await bus.announce(tx, { topic: 'factors.reset', tenant, body: { person_id: person } })
    return { removed, sessionsEnded }
  }
  const unlockState = (tx: Tx, tenant: string, person: string): Promise<void> =>
    writeFailures(tx, tenant, person, { failures: 0, failedAt: null, nextTryAt: null, lockedUntil: null })

  return {
    reset: (who: Person, id: string, facts: RequestFacts) =>
      db.inTx(async (tx) => {
        const person = await known(tx, who.tenant, id)
        await demandCoverOf(tx, who, person, 'remove their factors')
        const done = await clear(tx, who.tenant, id, who.id)
        await recordAct(tx, {
          ...actorOf(who),
          tenant: who.tenant,
          act: 'factors.reset',
          subject: { kind: 'person', id },
          request: facts,
          details: { removed: done.removed, sessions_ended: done.sessionsEnded },
          personal: { ...actorOf(who).personal, subject: { email: person.email } },
        })
        return done
      }),

    /** From the server's own machine, when no administrator can sign in any more; `user` is who runs it there. */
    resetFromMachine: (person: PersonRow, user: string) =>
      db.inTx(async (tx) => {
        const { tenant, id, email } = person
        const done = await clear(tx, tenant, id, null)
        await recordAct(tx, {
          tenant,
          act: 'factors.reset',
          actor: { kind: 'system', id: 'command_line', credential: 'server_machine' },
          subject: { kind: 'person', id },
          details: { removed: done.removed, sessions_ended: done.sessionsEnded },
          personal: { actor: { machine_user: user }, subject: { email } },
        })
        return done
      }),

    unlock: (who: Person, id: string, facts: RequestFacts): Promise<void> =>
      db.inTx(async (tx) => {
        await demandCoverOf(tx, who, await known(tx, who.tenant, id), 'let them try again')
        await unlockState(tx, who.tenant, id)
        await recordAct(tx, {
          ...actorOf(who),
          tenant: who.tenant,
          act: 'factors.unlocked',
          subject: { kind: 'person', id },
          request: facts,
        })
      }),

    /** What the person is to be told until they have taken note of it. */
    notice: (who: Person): Promise<ResetNotice | null> => readReset(db, who.tenant, who.id),
    takeNote: (who: Person): Promise<void> => db.inTx((tx) => writeReset(tx, who.tenant, who.id, null)),
  }
}
