import { type Permission, permissions } from '@countersign/wire'

/** What each role may do. One administrator role exists; the others come with people who need them. */
const roles: Readonly<Record<string, readonly Permission[]>> = { admin: permissions }

const sets = new Map(Object.entries(roles).map(([role, list]) => [role, new Set(list)]))
const none: ReadonlySet<Permission> = new Set()

/** The permissions of a role; an unknown role may do nothing. */
export function permissionsOf(role: string): ReadonlySet<Permission> {
  return sets.get(role) ?? none
}
