import type { Db, Tx } from '../../kernel/db.ts'
import { findOldestTenant } from '../tenants/index.ts'
import type { Act } from '../trail/index.ts'
import type { GiveRoles } from './give-roles.ts'
import { listGrants } from './grants-table.ts'
import { findByEmail } from './people-table.ts'
import { addNamed, rolesByAddress, type Seed, type SeedNeeds } from './seed-people.ts'

type Needs = SeedNeeds & { readonly db: Db; readonly giveRoles: GiveRoles }

/** What became of somebody the environment names. Roles are those held everywhere. */
export type Synced = {
  readonly email: string
  readonly outcome: 'added' | 'changed' | 'unchanged' | 'kept_as_last_administrator' | 'was_removed' | 'other_tenant'
  readonly before: readonly string[]
  readonly after: readonly string[]
}

export type SyncPeople = (
  seeds: readonly Seed[],
  options: { readonly by: Pick<Act, 'actor' | 'personal'>; readonly isDryRun: boolean },
) => Promise<readonly Synced[]>

/**
 * Makes the roles that named people hold everywhere exactly those they are named for, which a start never does. Roles in
 * one environment or on one rack stay, and so does everybody who is not named; who was removed stays removed.
 */
export function syncPeople({ db, giveRoles, ...needs }: Needs): SyncPeople {
  return async (seeds, { by, isDryRun }) => {
    const synced: Synced[] = []
    const work = db.inTx(async (tx) => {
      synced.length = 0
      // In turn with servers that start, which add the same people.
      await tx.query(`select pg_advisory_xact_lock(42)`)
      const tenant = await findOldestTenant(tx)
      if (tenant === undefined)
        throw new Error('The server was never set up: there is nobody yet whose roles could be compared.')
      // Administrators first: else the one who is there might look like the last one for a moment.
      const named = [...rolesByAddress(seeds)].toSorted(([, one], [, other]) => rank(one) - rank(other))
      for (const [email, roles] of named) synced.push(await syncOne(tx, tenant, email, [...new Set(roles)], by))
      if (isDryRun) throw new NotMeant()
    })
    await work.catch((cause: unknown) => {
      if (!(cause instanceof NotMeant)) throw cause
    })
    return synced
  }

  async function syncOne(
    tx: Tx,
    tenant: string,
    email: string,
    roles: readonly string[],
    by: Pick<Act, 'actor' | 'personal'>,
  ): Promise<Synced> {
    const found = await findByEmail(tx, email)
    if (!found) {
      const isAdded = await addNamed(needs, tx, tenant, { email, roles, by })
      return { email, outcome: isAdded ? 'added' : 'was_removed', before: [], after: isAdded ? roles : [] }
    }
    if (found.tenant !== tenant) return { email, outcome: 'other_tenant', before: [], after: [] }
    const held = await listGrants(tx, tenant, found.id)
    const inPlaces = held.filter(({ environment, rack }) => environment !== null || rack !== null)
    const everywhere = roles.map((role) => ({ role, environment: null, rack: null }))
    await giveRoles(tx, { tenant, person: found.id, grants: [...everywhere, ...inPlaces], by })
    const before = rolesEverywhere(held)
    const after = rolesEverywhere(await listGrants(tx, tenant, found.id))
    return { email, outcome: outcomeOf(before, after, roles), before, after }
  }
}

/** Undoes a transaction whose outcome was all that was wanted. */
class NotMeant extends Error {}

const rank = (roles: readonly string[]): number => (roles.includes('admin') ? 0 : 1)

function rolesEverywhere(grants: Awaited<ReturnType<typeof listGrants>>): readonly string[] {
  return grants.filter(({ environment, rack }) => environment === null && rack === null).map(({ role }) => role)
}

function outcomeOf(before: readonly string[], after: readonly string[], wanted: readonly string[]): Synced['outcome'] {
  if (after.includes('admin') && !wanted.includes('admin')) return 'kept_as_last_administrator'
  return before.toSorted().join(' ') === after.toSorted().join(' ') ? 'unchanged' : 'changed'
}
