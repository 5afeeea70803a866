import type { Tx } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { covers, type Person } from '../roles/index.ts'
import { findAuthority } from './grants-table.ts'
import type { PersonRow } from './people-table.ts'

/** Nobody does anything to somebody who holds more than they do; both as of now, not as of when the request came in. */
export async function demandCoverOf(tx: Tx, who: Person, person: PersonRow, what: string): Promise<void> {
  const own = await findAuthority(tx, who.tenant, who.id)
  for (const { environment, rack, permissions } of (await findAuthority(tx, who.tenant, person.id)).held) {
    if (covers(own, permissions, environment, rack)) continue
    throw new Problem(problems.forbidden, `${person.email} holds more than you do, so you cannot ${what}.`)
  }
}
