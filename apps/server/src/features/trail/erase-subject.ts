import type { Clock } from '../../kernel/clock.ts'
import type { Db } from '../../kernel/db.ts'
import { notFound, Problem, problems } from '../../kernel/problem.ts'
import type { Act } from './act.ts'
import type { RecordAct } from './record-act.ts'
import { erasePersonalFacts } from './subject-keys.ts'

type Needs = {
  readonly db: Pick<Db, 'inTx'>
  readonly clock: Pick<Clock, 'now'>
  readonly recordAct: RecordAct
}

/** Who erases, as the entry of it says. */
export type Eraser = Pick<Act, 'actor' | 'personal' | 'request'>

/**
 * Makes what the trail says of somebody unreadable by destroying their key, here and in every backup that is younger
 * than it. No entry, no hash and no proof changes. Whoever acts again afterwards is recorded under a new key.
 */
export function eraseSubject({ db, clock, recordAct }: Needs) {
  return (tenant: string, dataSubject: string, confirm: string, by: Eraser): Promise<{ readonly keys: number }> =>
    db.inTx(async (tx) => {
      if (confirm !== dataSubject) {
        throw new Problem(problems.confirmationNeeded, `This cannot be undone. Confirm with ${dataSubject}.`, {
          facts: { confirm: dataSubject },
        })
      }
      const keys = await erasePersonalFacts(tx, tenant, dataSubject, clock.now())
      if (keys === 0) throw notFound('data subject in the trail, or it was erased before')
      const cut = dataSubject.indexOf(':')
      const subject = { kind: dataSubject.slice(0, cut), id: dataSubject.slice(cut + 1) }
      await recordAct(tx, { ...by, tenant, act: `${subject.kind}.erased`, subject, details: { keys } })
      return { keys }
    })
}
