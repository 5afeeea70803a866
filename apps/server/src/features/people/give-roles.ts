import { rackPattern } from '@countersign/wire'
import type { Bus } from '../../kernel/bus.ts'
import type { Tx } from '../../kernel/db.ts'
import { findRoles } from '../access/index.ts'
import { listEnvironments } from '../environments/index.ts'
import type { RequestFacts } from '../roles/index.ts'
import type { Act, RecordAct } from '../trail/index.ts'
import { countAdministrators, deleteGrants, type Grant, holdAccess, insertGrant, listGrants } from './grants-table.ts'

type Needs = {
  readonly clock: { readonly now: () => Date }
  readonly newId: () => string
  readonly tell: { readonly bus: Pick<Bus, 'announce'>; readonly recordAct: RecordAct }
}

type Order = {
  readonly tenant: string
  readonly person: string
  readonly grants: readonly Grant[]
  /** What decided it: an identity provider's groups, or the configuration by somebody at the server's machine. */
  readonly by: Pick<Act, 'actor' | 'personal'>
  /** Of the request in which it was decided; a command has none. */
  readonly facts?: RequestFacts
}

/** What cannot be a rack's name would fail the sign-in of everybody in that group. */
const rackForm = new RegExp(rackPattern)

export type GiveRoles = (tx: Tx, order: Order) => Promise<void>

/**
 * Makes somebody's roles what a directory or the configuration says. The last administrator keeps that role whatever it
 * says: a slip must not leave an installation without anybody in charge.
 */
export function giveRoles({ clock, newId, tell: { bus, recordAct } }: Needs): GiveRoles {
  return async (tx, { tenant, person, grants, by, facts }) => {
    await holdAccess(tx, tenant)
    const [roles, environments] = await Promise.all([findRoles(tx, tenant), listEnvironments(tx, tenant)])
    const known = new Set(environments.map(({ name }) => name))
    const wanted = grants.filter(
      ({ role, environment, rack }) =>
        roles.get(role)?.forPeople === true &&
        (environment === null || known.has(environment)) &&
        (rack === null || rackForm.test(rack)),
    )
    const before = await listGrants(tx, tenant, person)
    if (areSame(before, wanted)) return
    const administrators = await countAdministrators(tx, tenant, clock.now())
    await deleteGrants(tx, tenant, person)
    const isLast = administrators > 0 && (await countAdministrators(tx, tenant, clock.now())) === 0
    const after =
      isLast && !wanted.some(isAdministrator) ? [...wanted, { role: 'admin', environment: null, rack: null }] : wanted
    for (const grant of after) await insertGrant(tx, { ...grant, tenant, id: newId(), person, by: person }, clock.now())
    await recordAct(tx, {
      tenant,
      act: 'person.changed',
      ...by,
      subject: { kind: 'person', id: person },
      ...(facts && { request: facts }),
      details: {
        changed: ['roles'],
        before: { roles: onRecord(before) },
        after: { roles: onRecord(after) },
        ...(after.length > wanted.length && { kept: 'admin, as the last administrator' }),
      },
    })
    await bus.announce(tx, { topic: 'person.changed', tenant, body: { person_id: person } })
  }
}

const isAdministrator = ({ role, environment, rack }: Grant): boolean =>
  role === 'admin' && environment === null && rack === null

function areSame(one: readonly Grant[], other: readonly Grant[]): boolean {
  const keys = (grants: readonly Grant[]): string =>
    grants
      .map(({ role, environment, rack }) => `${role} ${environment ?? ''} ${rack ?? ''}`)
      .sort()
      .join('\n')
  return keys(one) === keys(other)
}

const onRecord = (grants: readonly Grant[]) =>
  grants.map(({ role, environment, rack }) => ({ role, environment, rack }))
