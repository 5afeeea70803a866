import { isPermission, type Permission } from '@countersign/wire'
import type { Bus } from '../../kernel/bus.ts'
import { type Db, isUniqueViolation, type Tx } from '../../kernel/db.ts'
import { notFound, Problem, problems } from '../../kernel/problem.ts'
import { covers, isBuiltIn, type Person, type RequestFacts } from '../roles/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import { countHolders, deleteRole, findRoleForUpdate, insertRole, type StoredRole, updateRole } from './roles-table.ts'

type Needs = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly tell: { readonly bus: Pick<Bus, 'announce'>; readonly recordAct: RecordAct }
}

export type RoleDraft = {
  readonly name: string
  readonly title?: string | undefined
  readonly description?: string | undefined
  readonly permissions: readonly Permission[]
}

export type RoleChange = Partial<Omit<RoleDraft, 'name'>>

export type ManageRoles = ReturnType<typeof manageRoles>

/** A tenant's own roles. Whoever changes one must hold, everywhere, all it gave before and all it gives after. */
export function manageRoles({ db, clock, tell: { bus, recordAct } }: Needs) {
  const tell = async (
    tx: Tx,
    who: Person,
    facts: RequestFacts,
    act: 'role.created' | 'role.changed' | 'role.removed',
    sides: { readonly before?: StoredRole; readonly after?: StoredRole },
  ): Promise<void> => {
    const name = (sides.after ?? sides.before)?.name ?? ''
    const facet = (role: StoredRole) => ({
      title: role.title,
      description: role.description,
      permissions: role.permissions,
    })
    await recordAct(tx, {
      ...actorOf(who),
      tenant: who.tenant,
      act,
      subject: { kind: 'role', id: name },
      request: facts,
      details: {
        ...(sides.before && { before: facet(sides.before) }),
        ...(sides.after && { after: facet(sides.after) }),
      },
    })
    await bus.announce(tx, { topic: 'role.changed', tenant: who.tenant, body: { role: name } })
  }

  const hold = async (tx: Tx, who: Person, name: string): Promise<StoredRole> => {
    if (isBuiltIn(name))
      throw new Problem(problems.conflict, `${name} is built in and stays as it is. Make a role of your own beside it.`)
    const role = await findRoleForUpdate(tx, who.tenant, name)
    if (!role) throw notFound('role')
    demandCover(who, role.permissions)
    return role
  }

  return {
    create: (who: Person, draft: RoleDraft, facts: RequestFacts): Promise<void> =>
      db.inTx(async (tx) => {
        const { name, title = name, description = '', permissions } = draft
        demandCover(who, permissions)
        const at = clock.now()
        const role = { name, title, description, permissions: [...permissions].sort(), changedAt: at }
        if (isBuiltIn(name)) throw taken(name)
        await insertRole(tx, { ...role, tenant: who.tenant, by: who.id, at }).catch((cause: unknown) => {
          throw isUniqueViolation(cause) ? taken(name, cause) : cause
        })
        await tell(tx, who, facts, 'role.created', { after: role })
      }),

    change: (who: Person, name: string, change: RoleChange, facts: RequestFacts): Promise<void> =>
      db.inTx(async (tx) => {
        const before = await hold(tx, who, name)
        const after = {
          name,
          title: change.title ?? before.title,
          description: change.description ?? before.description,
          permissions: change.permissions ? [...change.permissions].sort() : before.permissions,
          changedAt: clock.now(),
        }
        demandCover(who, after.permissions)
        await updateRole(tx, who.tenant, after)
        await tell(tx, who, facts, 'role.changed', { before, after })
      }),

    remove: (who: Person, name: string, facts: RequestFacts): Promise<void> =>
      db.inTx(async (tx) => {
        const before = await hold(tx, who, name)
        const holders = (await countHolders(tx, who.tenant)).get(name) ?? 0
        if (holders > 0) {
          const people = holders === 1 ? 'One person holds' : `${holders} people hold`
          throw new Problem(problems.conflict, `${people} ${name}. Give them other roles first.`)
        }
        await deleteRole(tx, who.tenant, name)
        await tell(tx, who, facts, 'role.removed', { before })
      }),
  }
}

function demandCover(who: Person, permissions: readonly string[]): void {
  const known = permissions.filter(isPermission)
  if (covers(who, known, null)) return
  const missing = known.filter((name) => !covers(who, [name], null))
  const which = missing.length > 0 ? missing.join(', ') : 'protected:write together with the rest, in one role'
  throw new Problem(problems.forbidden, `Nobody gives more than they hold everywhere. You lack ${which}.`)
}

function taken(name: string, cause?: unknown): Problem {
  return new Problem(problems.conflict, `There is already a role ${name}.`, { cause })
}
