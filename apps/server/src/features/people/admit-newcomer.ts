import type { Bus } from '../../kernel/bus.ts'
import type { Tx } from '../../kernel/db.ts'
import { findRoles } from '../access/index.ts'
import type { RequestFacts } from '../roles/index.ts'
import { listTenants } from '../tenants/index.ts'
import type { RecordAct } from '../trail/index.ts'
import { holdAccess, insertGrant } from './grants-table.ts'
import { findByEmail, hasHeldAddress, insertPerson, type PersonRow } from './people-table.ts'

type Needs = {
  readonly clock: { readonly now: () => Date }
  readonly newId: () => string
  readonly tell: { readonly bus: Pick<Bus, 'announce'>; readonly recordAct: RecordAct }
}

type Newcomer = {
  readonly email: string
  readonly name: string | null
  /** Null when the provider's groups say it. */
  readonly role: string | null
  /** What vouches for them. */
  readonly by: string
  readonly facts: RequestFacts
}

/** The person as they are from now on; or why there is none. */
export type AdmitNewcomer = (tx: Tx, newcomer: Newcomer) => Promise<PersonRow | 'unknown' | 'removed'>

/**
 * Makes somebody whom a trusted directory vouches for and nobody invited. Whoever was removed here stays removed,
 * whatever the directory says; and where there are several tenants, whom they belong to is for an invitation to say.
 */
export function admitNewcomer({ clock, newId, tell: { bus, recordAct } }: Needs): AdmitNewcomer {
  return async (tx, { email, name, role, by, facts }) => {
    const [only, ...others] = await listTenants(tx)
    if (!only || others.length > 0) return 'unknown'
    const tenant = only.id
    // First sign-ins of one person in two browsers make one person.
    await holdAccess(tx, tenant)
    const found = await findByEmail(tx, email)
    if (found) return found
    if (await hasHeldAddress(tx, tenant, email)) return 'removed'
    if (role !== null && (await findRoles(tx, tenant)).get(role)?.forPeople !== true) return 'unknown'
    const id = newId()
    const now = clock.now()
    const called = name ?? email.split('@')[0] ?? email
    await insertPerson(tx, { tenant, id, email, name: called, passwordHash: null, madeBy: null, hasJoined: false }, now)
    if (role !== null)
      await insertGrant(tx, { tenant, id: newId(), person: id, role, environment: null, rack: null, by: id }, now)
    await recordAct(tx, {
      tenant,
      act: 'person.admitted',
      actor: { kind: 'system', id: by },
      subject: { kind: 'person', id },
      request: facts,
      details: { roles: role === null ? [] : [role] },
      personal: { subject: { email, name: called } },
    })
    await bus.announce(tx, { topic: 'person.changed', tenant, body: { person_id: id } })
    return (await findByEmail(tx, email)) ?? 'unknown'
  }
}
