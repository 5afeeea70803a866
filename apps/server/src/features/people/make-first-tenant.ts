import { hashPassword } from '../../kernel/crypto.ts'
import type { Db, Tx } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { firstEnvironments, insertEnvironment } from '../environments/index.ts'
import type { RequestFacts } from '../roles/index.ts'
import { countPeople, insertTenant } from '../tenants/index.ts'
import type { Act, RecordAct } from '../trail/index.ts'
import { insertGrant } from './grants-table.ts'
import { checkPassword } from './password-policy.ts'
import { insertPerson } from './people-table.ts'

export type MakeFirstTenantNeeds = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly newId: () => string
  readonly recordAct: RecordAct
  /** What other features must put into a new tenant: its first signing key, for one. */
  readonly furnish: (tx: Tx, tenant: string) => Promise<void>
}

export type FirstAdministrator = {
  readonly email: string
  readonly password: string
  readonly tenantName: string
  readonly facts?: RequestFacts
}

export type MakeFirstTenant = (
  first: FirstAdministrator,
) => Promise<{ readonly tenant: string; readonly person: string }>

/** Makes a tenant with its administrator, environments and whatever else a new tenant is furnished with. */
export function makeTenant({ clock, newId, recordAct, furnish }: Omit<MakeFirstTenantNeeds, 'db'>) {
  return async (
    tx: Tx,
    {
      email,
      passwordHash,
      tenantName,
      facts,
      by,
    }: Omit<FirstAdministrator, 'password'> & {
      /** Null for somebody who signs in elsewhere. */
      readonly passwordHash: string | null
      readonly by?: Pick<Act, 'actor' | 'personal'>
    },
  ) => {
    const now = clock.now()
    const tenant = newId()
    const person = newId()
    await insertTenant(tx, { id: tenant, name: tenantName, madeAt: now })
    for (const environment of firstEnvironments) await insertEnvironment(tx, tenant, environment, now)
    const name = email.split('@')[0] ?? email
    await insertPerson(tx, { tenant, id: person, email, name, passwordHash, madeBy: null, hasJoined: true }, now)
    await insertGrant(
      tx,
      { tenant, id: newId(), person, role: 'admin', environment: null, rack: null, by: person },
      now,
    )
    await furnish(tx, tenant)
    await recordAct(tx, {
      tenant,
      act: 'tenant.created',
      ...(by ?? { actor: { kind: 'person', id: person, credential: 'set_up' }, personal: { actor: { email } } }),
      subject: { kind: 'tenant', id: tenant },
      ...(facts && { request: facts }),
      details: { role: 'admin', ...(by && { administrator: person }) },
    })
    return { tenant, person }
  }
}

/** Makes the first tenant and its administrator, once in an installation's life, whoever races. */
export function makeFirstTenant({ db, ...needs }: MakeFirstTenantNeeds): MakeFirstTenant {
  const make = makeTenant(needs)
  return async ({ password, ...first }) => {
    checkPassword(password)
    if ((await countPeople(db)) > 0) throw alreadySetUp()
    const passwordHash = await hashPassword(password)
    return db.inTx(async (tx) => {
      await tx.query(`select pg_advisory_xact_lock(42)`)
      if ((await countPeople(tx)) > 0) throw alreadySetUp()
      return make(tx, { ...first, passwordHash })
    })
  }
}

function alreadySetUp(): Problem {
  return new Problem(problems.conflict, 'Server is already set up.')
}
