import type { PermissionView, Role } from './types.ts'

const groupWords: Readonly<Record<string, string>> = {
  overview: 'Overview',
  approvals: 'Approvals',
  events: 'Events',
  fleet: 'Agents',
  rulesets: 'Rulesets',
  rollouts: 'Rollouts',
  replays: 'Rehearsal',
  assignments: 'Assignments',
  keys: 'Agent keys',
  racks: 'Racks',
  'signing-keys': 'Signing keys',
  environments: 'Environments',
  protected: 'Protected environments',
  people: 'People',
  roles: 'Roles',
  tokens: 'API tokens',
  trail: 'Trail',
  jobs: 'Jobs',
  settings: 'Settings',
}

/** `approval:decide` and `approvals:read` are about one thing, and so is all that is done on racks. */
function nounOf(name: string): string {
  const [noun = name] = name.split(':')
  if (noun.startsWith('rack-')) return 'racks'
  return noun === 'approval' ? 'approvals' : noun
}

export type PermissionGroup = { readonly word: string; readonly permissions: readonly PermissionView[] }

export function grouped(permissions: readonly PermissionView[]): readonly PermissionGroup[] {
  return [...Map.groupBy(permissions, ({ name }) => nounOf(name))].map(([noun, members]) => ({
    word: groupWords[noun] ?? noun,
    permissions: members,
  }))
}

/** Nobody gives what they do not hold: a role can be given, or made, when each of its permissions is held. */
export function isGrantable(role: Pick<Role, 'permissions'>, permissions: readonly PermissionView[]): boolean {
  return role.permissions.every((name) => permissions.find((one) => one.name === name)?.is_held ?? true)
}

/** What is left of a permission when its role holds in one environment only. */
export function reachWords({ reach, is_guarded }: Pick<PermissionView, 'reach' | 'is_guarded'>): string {
  const where = {
    anywhere: 'also when the role holds in one environment',
    environment: 'only there when the role holds in one environment',
    rack: 'only on its racks when the role holds in one environment, or on one rack',
    tenant: 'only when the role holds everywhere',
  }[reach]
  return is_guarded ? `${where}; in protected environments with protected:write` : where
}

/** A name for the address and the API made of a title: small letters, digits, hyphens. */
export function nameFrom(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '')
    .slice(0, 63)
}
