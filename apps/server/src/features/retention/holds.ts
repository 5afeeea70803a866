import type { Clock } from '../../kernel/clock.ts'
import type { Db } from '../../kernel/db.ts'
import { invalidInput, notFound, Problem, problems } from '../../kernel/problem.ts'
import type { Person, RequestFacts } from '../roles/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import { findHold, type HoldRow, insertHold, liftHold } from './holds-table.ts'

type Needs = {
  readonly db: Pick<Db, 'inTx'>
  readonly clock: Pick<Clock, 'now'>
  readonly newId: () => string
  readonly recordAct: RecordAct
}

export type HoldDraft = { readonly reason: string; readonly from: Date | null; readonly until: Date | null }

/** Keeps entries of a time, or all, from being removed. A removal that is under way stops at its last step. */
export function placeHold({ db, clock, newId, recordAct }: Needs) {
  return async (who: Person, { reason, from, until }: HoldDraft, facts: RequestFacts): Promise<HoldRow> => {
    if (from && until && from >= until) throw invalidInput('until', 'The end must come after the beginning.')
    return db.inTx(async (tx) => {
      const id = newId()
      const hold = {
        id,
        reason: reason.trim(),
        heldFrom: from,
        heldUntil: until,
        placedBy: who.id,
        placedAt: clock.now(),
      }
      if (hold.reason === '') throw invalidInput('reason', 'Say why: the case, or who asked for it.')
      await insertHold(tx, who.tenant, hold)
      await recordAct(tx, {
        ...actorOf(who),
        tenant: who.tenant,
        act: 'hold.placed',
        subject: { kind: 'hold', id },
        request: facts,
        details: { reason: hold.reason, from: from?.toISOString() ?? null, until: until?.toISOString() ?? null },
      })
      return requireHold(await findHold(tx, who.tenant, id))
    })
  }
}

/** From then on what has expired is removed again. */
export function liftOneHold({ db, clock, recordAct }: Omit<Needs, 'newId'>) {
  return (who: Person, id: string, confirm: string, facts: RequestFacts): Promise<HoldRow> =>
    db.inTx(async (tx) => {
      const hold = requireHold(await findHold(tx, who.tenant, id))
      if (confirm !== id) {
        throw new Problem(
          problems.confirmationNeeded,
          `Entries it keeps may be removed from then on. Confirm with ${id}.`,
          {
            facts: { confirm: id },
          },
        )
      }
      if (!(await liftHold(tx, who.tenant, id, who.id, clock.now()))) {
        throw new Problem(problems.conflict, 'This hold was lifted before.')
      }
      await recordAct(tx, {
        ...actorOf(who),
        tenant: who.tenant,
        act: 'hold.lifted',
        subject: { kind: 'hold', id },
        request: facts,
        details: { reason: hold.reason },
      })
      return requireHold(await findHold(tx, who.tenant, id))
    })
}

function requireHold(hold: HoldRow | undefined): HoldRow {
  if (!hold) throw notFound('hold')
  return hold
}
