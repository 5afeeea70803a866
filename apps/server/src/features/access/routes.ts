import {
  accessAnswer,
  accessQuery,
  type Permission,
  permissionRows,
  permissions,
  role,
  roleChange,
  roleDraft,
  roleHolders,
  roleList,
  roleParams,
  Type,
} from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { invalidInput, notFound } from '../../kernel/problem.ts'
import { listEnvironments } from '../environments/index.ts'
import {
  type Authority,
  type Caller,
  covers,
  permits,
  placeWords,
  type Route,
  route,
  type Where,
} from '../roles/index.ts'
import { findRoles, type Role } from './find-roles.ts'
import type { ManageRoles } from './manage-roles.ts'
import { countHolders, listHolders } from './roles-table.ts'

type Needs = { readonly db: Sql; readonly roles: ManageRoles }

export function roleRoutes({ db, roles }: Needs): readonly Route[] {
  const read = async (tenant: string, name: string) => {
    const [found, holders] = await Promise.all([findRoles(db, tenant), countHolders(db, tenant)])
    const one = found.get(name)
    if (!one) throw notFound('role')
    return roleOnWire(one, holders)
  }
  return [
    route({
      does: 'List roles and every permission there is',
      method: 'GET',
      path: '/roles',
      needs: 'roles:read',
      answers: roleList,
      handle: async ({ who }) => {
        const [found, holders] = await Promise.all([findRoles(db, who.tenant), countHolders(db, who.tenant)])
        return {
          items: [...found.values()].map((one) => roleOnWire(one, holders)),
          permissions: permissionsFor(who),
        }
      },
    }),
    route({
      does: 'Tell whether whoever asks may do something, in an environment or on a rack',
      method: 'GET',
      path: '/access',
      needs: 'caller',
      query: accessQuery,
      answers: accessAnswer,
      handle: async ({ who, query: { permission, ...where } }) => {
        await checkPlace(db, who, permission, where)
        const place = { environment: where.environment ?? null, rack: where.rack ?? null }
        const isAllowed = permits(who, permission, where)
        const words = `None of your roles gives ${permission} ${placeWords(place)}`.trimEnd()
        return { permission, ...place, is_allowed: isAllowed, detail: isAllowed ? null : `${words}.` }
      },
    }),
    route({
      does: 'List who holds a role',
      method: 'GET',
      path: '/roles/:name/holders',
      needs: 'people:read',
      params: roleParams,
      answers: roleHolders,
      handle: async ({ who, params: { name } }) => {
        if (!(await findRoles(db, who.tenant)).has(name)) throw notFound('role')
        const holders = await listHolders(db, who.tenant, name)
        return { items: holders.map(({ id, ...holder }) => ({ person_id: id, ...holder })) }
      },
    }),
    route({
      does: 'Make a role',
      method: 'POST',
      path: '/roles',
      needs: 'roles:write',
      factor: 'step-up',
      status: 201,
      body: roleDraft,
      answers: role,
      handle: async ({ who, body, facts }) => {
        await roles.create(who, body, facts)
        return read(who.tenant, body.name)
      },
    }),
    route({
      does: 'Change what a role allows',
      method: 'PATCH',
      path: '/roles/:name',
      needs: 'roles:write',
      factor: 'step-up',
      params: roleParams,
      body: roleChange,
      answers: role,
      handle: async ({ who, params: { name }, body, facts }) => {
        await roles.change(who, name, body, facts)
        return read(who.tenant, name)
      },
    }),
    route({
      does: 'Remove a role nobody holds',
      method: 'DELETE',
      path: '/roles/:name',
      needs: 'roles:write',
      factor: 'step-up',
      params: roleParams,
      answers: Type.Object({ name: Type.String() }),
      handle: async ({ who, params: { name }, facts }) => {
        await roles.remove(who, name, facts)
        return { name }
      },
    }),
  ]
}

/** A yes must not come of a place that is not there, or of one that was left out. */
async function checkPlace(db: Sql, who: Caller, permission: Permission, { environment, rack }: Where): Promise<void> {
  const { reach } = permissionRows[permission]
  if (rack !== undefined && reach !== 'rack')
    throw invalidInput('query.rack', `${permission} is not about racks: leave the rack out.`)
  if (reach === 'rack' && environment === undefined)
    throw invalidInput('query.environment', `${permission} is done in an environment: name the one the rack is in.`)
  if (environment === undefined) return
  if (!(await listEnvironments(db, who.tenant)).some(({ name }) => name === environment))
    throw invalidInput('query.environment', `There is no environment ${environment}.`)
}

function roleOnWire(one: Role, holders: ReadonlyMap<string, number>) {
  return {
    name: one.name,
    title: one.title,
    description: one.description,
    is_built_in: one.isBuiltIn,
    for_people: one.forPeople,
    permissions: [...one.permissions],
    people: holders.get(one.name) ?? 0,
    changed_at: one.changedAt?.toISOString() ?? null,
  }
}

function permissionsFor(who: Authority) {
  return permissions.map((name) => {
    const { does, reach, isGuarded, forTokens } = permissionRows[name]
    return { name, does, reach, is_guarded: isGuarded, for_tokens: forTokens, is_held: covers(who, [name], null) }
  })
}
