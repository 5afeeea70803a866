import { type Permission, permissionRows } from '@countersign/wire'
import { Problem, problems } from '../../kernel/problem.ts'
import type { Authority, HeldRole } from './principal.ts'
import { permissionsOf } from './roles.ts'

/** A grant as it is stored: the role's name, where it holds, and its permissions when it is a tenant's own role. */
export type GrantRow = {
  readonly role: string
  readonly environment: string | null
  readonly rack: string | null
  readonly permissions?: readonly string[] | null
}

/** What comes of the roles somebody holds. */
export function authorityOf(grants: readonly GrantRow[], protectedEnvironments: readonly string[]): Authority {
  const held = grants.map(({ role, environment, rack, permissions = null }) => ({
    role,
    environment,
    rack,
    permissions: permissionsOf(role, permissions),
  }))
  return authority(held, protectedEnvironments)
}

/** What a list of permissions is worth that holds everywhere, or in each of some environments. */
export function authorityOfList(
  permissions: ReadonlySet<Permission>,
  environments: readonly string[] | null,
  protectedEnvironments: readonly string[],
): Authority {
  const held = (environments ?? [null]).map((environment) => ({ role: '', environment, rack: null, permissions }))
  return authority(held, protectedEnvironments)
}

function authority(held: readonly HeldRole[], protectedEnvironments: readonly string[]): Authority {
  const permissions = new Set<Permission>()
  for (const one of held) {
    for (const name of one.permissions) if (isLeftOf(one, name)) permissions.add(name)
  }
  return { held, permissions, protectedEnvironments: new Set(protectedEnvironments) }
}

type Scope = Pick<HeldRole, 'environment' | 'rack'>

/** Whether anything is left of a permission when its role holds in that scope only. */
function isLeftOf({ environment, rack }: Scope, permission: Permission): boolean {
  const { reach } = permissionRows[permission]
  if (reach === 'tenant') return environment === null && rack === null
  return reach !== 'environment' || rack === null
}

/** Where something is done. A rack that is named lies in the environment that is named with it. */
export type Where = { readonly environment?: string; readonly rack?: string }

/**
 * Whether somebody may do it: there, when it is done in an environment; anywhere, when none is named. In a protected
 * environment one and the same role must give both the permission and `protected:write`: two harmless roles never add
 * up to a dangerous one.
 */
export function permits(who: Authority, permission: Permission, where: Where = {}): boolean {
  const { environment, rack } = where
  const { reach } = permissionRows[permission]
  if (environment === undefined || reach === 'anywhere' || reach === 'tenant') return who.permissions.has(permission)
  const isGuarded = permissionRows[permission].isGuarded && who.protectedEnvironments.has(environment)
  return who.held.some(
    (role) =>
      (role.environment === null || role.environment === environment) &&
      // Which rack is not said: nobody who holds it on some racks only may do it on all of them.
      (role.rack === null || (reach === 'rack' && role.rack === rack)) &&
      role.permissions.has(permission) &&
      (!isGuarded || role.permissions.has('protected:write')),
  )
}

/** Refuses what `permits` does not allow, with the reason. */
export function demand(who: Authority, permission: Permission, where: Where = {}): void {
  if (permits(who, permission, where)) return
  const { environment, rack } = where
  if (environment === undefined) throw lacks(permission)
  const isProtected = who.protectedEnvironments.has(environment) && permissionRows[permission].isGuarded
  throw new Problem(
    problems.forbidden,
    isProtected && who.permissions.has(permission)
      ? `${environment} is protected: this needs a role that holds there both ${permission} and protected:write.`
      : `This needs the permission ${permission} ${placeWords({ environment, rack: rack ?? null })}, which none of your roles gives there.`,
    { facts: { permission, environment, ...(rack !== undefined && { rack }) } },
  )
}

export function lacks(permission: Permission): Problem {
  return new Problem(problems.forbidden, `This needs the permission ${permission}, which none of your roles gives.`, {
    facts: { permission },
  })
}

/**
 * Whether somebody holds all of this themselves, so that they may give it to others: nobody grants more than they
 * hold. Null asks for every environment, or every rack, which a role held in some does not cover.
 */
export function covers(
  who: Authority,
  permissions: Iterable<Permission>,
  environment: string | null,
  rack: string | null = null,
): boolean {
  const wanted = new Set(permissions)
  const needsProtected = wanted.has('protected:write')
  for (const name of wanted) {
    const { reach, isGuarded } = permissionRows[name]
    const isCovered = who.held.some(
      (role) =>
        role.permissions.has(name) &&
        (reach === 'anywhere' ||
          role.environment === null ||
          (reach !== 'tenant' && role.environment === environment)) &&
        (reach === 'anywhere' || role.rack === null || (reach === 'rack' && role.rack === rack)) &&
        (!needsProtected || !isGuarded || role.permissions.has('protected:write')),
    )
    if (!isCovered) return false
  }
  return true
}

/** By environment, what somebody may do there: for pages, which show only what can be done. */
export function permittedIn(who: Authority, environments: readonly string[]): Readonly<Record<string, Permission[]>> {
  return Object.fromEntries(
    environments.map((environment) => [
      environment,
      [...who.permissions].filter(
        (name) => permissionRows[name].reach === 'environment' && permits(who, name, { environment }),
      ),
    ]),
  )
}

/** Where a role holds: nothing for everywhere, `in staging`, `on rack east`, `on rack east in staging`. */
export function placeWords({ environment, rack }: Scope): string {
  return [...(rack === null ? [] : [`on rack ${rack}`]), ...(environment === null ? [] : [`in ${environment}`])].join(
    ' ',
  )
}

/** The roles in words: `admin`, `deployer in staging, ops on rack east, viewer`. */
export function rolesInWords(held: readonly Pick<HeldRole, 'role' | 'environment' | 'rack'>[]): string {
  return held
    .map(({ role, ...scope }) => `${role} ${placeWords(scope)}`.trimEnd())
    .sort()
    .join(', ')
}
