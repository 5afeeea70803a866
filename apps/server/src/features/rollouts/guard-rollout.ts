import type { Sql } from '../../kernel/db.ts'
import { isProtectedEnvironment } from '../environments/index.ts'
import { demandStepUp } from '../roles/index.ts'
import type { RollOut } from './roll-out.ts'

/** What is live in a protected environment changes only by somebody who has proven lately that it is them. */
export function guardRollout({ db, rollOut }: { readonly db: Sql; readonly rollOut: RollOut }): RollOut {
  return async (who, order, facts, alongside) => {
    if (await isProtectedEnvironment(db, who.tenant, order.environment)) demandStepUp(who)
    return rollOut(who, order, facts, alongside)
  }
}
