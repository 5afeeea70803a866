import type { Tx } from '../../kernel/db.ts'
import { countPeople, findOldestTenant } from '../tenants/index.ts'
import type { Act } from '../trail/index.ts'
import { insertGrant, listGrants } from './grants-table.ts'
import { type MakeFirstTenantNeeds, makeTenant } from './make-first-tenant.ts'
import { findByEmail, hasHeldAddress, insertPerson } from './people-table.ts'

/** Who the environment says there should be. */
export type Seed = { readonly email: string; readonly role: string }

export type SeedPeople = (seeds: readonly Seed[], options: { readonly hasProvider: boolean }) => Promise<void>

const actor = { kind: 'system', id: 'configuration' } as const

export type SeedNeeds = Pick<MakeFirstTenantNeeds, 'clock' | 'newId' | 'recordAct'>

/**
 * Adds people whom the environment names and who were never there. Nobody's roles are changed, since a person may have
 * changed them for a reason, and whoever was removed stays removed; where the environment and the database differ, the
 * trail says so. Without anybody yet, and with a provider to sign in at, the first administrator named makes the tenant.
 */
export function seedPeople({ db, ...needs }: MakeFirstTenantNeeds): SeedPeople {
  const make = makeTenant(needs)
  return (seeds, { hasProvider }) =>
    seeds.length === 0
      ? Promise.resolve()
      : db.inTx(async (tx) => {
          // Replicas that start at once take turns, and so does whoever sets the server up by hand.
          await tx.query(`select pg_advisory_xact_lock(42)`)
          const first = seeds.find(({ role }) => role === 'admin')
          if ((await countPeople(tx)) === 0) {
            if (!hasProvider || !first) return
            await make(tx, { email: first.email, passwordHash: null, tenantName: 'Default', by: { actor } })
          }
          // A server that takes such a list serves one tenant; further ones are made, with their people, by hand.
          const tenant = await findOldestTenant(tx)
          if (tenant === undefined) return
          for (const [email, roles] of rolesByAddress(seeds)) await seedOne(needs, tx, tenant, email, roles)
        })
}

export function rolesByAddress(seeds: readonly Seed[]): ReadonlyMap<string, readonly string[]> {
  const roles = new Map<string, string[]>()
  for (const { email, role } of seeds) roles.set(email, [...(roles.get(email) ?? []), role])
  return roles
}

async function seedOne(
  needs: SeedNeeds,
  tx: Tx,
  tenant: string,
  email: string,
  roles: readonly string[],
): Promise<void> {
  const found = await findByEmail(tx, email)
  if (found) {
    if (found.tenant !== tenant) return
    const held = (await listGrants(tx, tenant, found.id)).filter(({ environment }) => environment === null)
    const differs = roles.some((role) => !held.some((grant) => grant.role === role))
    if (!differs) return
    await needs.recordAct(tx, {
      tenant,
      act: 'person.differs_from_seed',
      actor,
      subject: { kind: 'person', id: found.id },
      details: { named: [...roles], held: held.map(({ role }) => role) },
      personal: { subject: { email } },
    })
    return
  }
  await addNamed(needs, tx, tenant, { email, roles, by: { actor } })
}

type Named = { readonly email: string; readonly roles: readonly string[]; readonly by: Pick<Act, 'actor' | 'personal'> }

/** Adds somebody the environment names; not who was there once and was removed. Whether it did. */
export async function addNamed(
  { clock, newId, recordAct }: SeedNeeds,
  tx: Tx,
  tenant: string,
  { email, roles, by }: Named,
): Promise<boolean> {
  if (await hasHeldAddress(tx, tenant, email)) return false
  const id = newId()
  const now = clock.now()
  const name = email.split('@')[0] ?? email
  await insertPerson(tx, { tenant, id, email, name, passwordHash: null, madeBy: null, hasJoined: false }, now)
  for (const role of roles)
    await insertGrant(tx, { tenant, id: newId(), person: id, role, environment: null, rack: null, by: id }, now)
  await recordAct(tx, {
    tenant,
    act: 'person.seeded',
    actor: by.actor,
    subject: { kind: 'person', id },
    details: { roles: [...roles] },
    personal: { ...by.personal, subject: { email, name } },
  })
  return true
}
