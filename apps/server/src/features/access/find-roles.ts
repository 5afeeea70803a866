import { isPermission, type Permission } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { builtInRoles } from '../roles/index.ts'
import { listStoredRoles } from './roles-table.ts'

/** A role as it is used, built in or a tenant's own. */
export type Role = {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly isBuiltIn: boolean
  readonly forPeople: boolean
  readonly permissions: readonly Permission[]
  /** Null for what is part of the program. */
  readonly changedAt: Date | null
}

/** All roles of a tenant, by name, the built-in ones first. */
export async function findRoles(db: Sql, tenant: string): Promise<ReadonlyMap<string, Role>> {
  const own = await listStoredRoles(db, tenant)
  const roles: Role[] = [
    ...builtInRoles.map((role) => ({ ...role, isBuiltIn: true, changedAt: null })),
    ...own.map((role) => ({
      ...role,
      isBuiltIn: false,
      forPeople: true,
      permissions: role.permissions.filter(isPermission),
    })),
  ]
  return new Map(roles.map((role) => [role.name, role]))
}
