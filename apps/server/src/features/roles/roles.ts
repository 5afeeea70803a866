import { isPermission, type Permission, permissions } from '@countersign/wire'

export type BuiltInRole = {
  readonly name: string
  readonly title: string
  readonly description: string
  /** False for what only tokens are made from. */
  readonly forPeople: boolean
  readonly permissions: readonly Permission[]
}

const viewer: readonly Permission[] = [
  'overview:read',
  'approvals:read',
  'events:read',
  'fleet:read',
  'rulesets:read',
  'keys:read',
]
const ops: readonly Permission[] = [
  ...viewer,
  'fleet:manage',
  'assignments:write',
  'keys:write',
  'approval:cancel',
  'rack-processes:write',
]
const deployer: readonly Permission[] = [
  ...ops,
  'rulesets:write',
  'rollouts:write',
  'replays:write',
  'rack-deploys:write',
]

/** The roles every tenant has. They are part of the program: nobody can take one away or make it mean something else. */
export const builtInRoles: readonly BuiltInRole[] = [
  {
    name: 'viewer',
    title: 'Viewer',
    description: 'Reads all but the trail, settings, people and tokens.',
    forPeople: true,
    permissions: viewer,
  },
  {
    name: 'ops',
    title: 'Operations',
    description:
      'A viewer who manages agents, their keys, assignments and processes on racks outside protected environments.',
    forPeople: true,
    permissions: ops,
  },
  {
    name: 'deployer',
    title: 'Deployer',
    description:
      'Operations that also writes rulesets, rolls them out and deploys to racks outside protected environments.',
    forPeople: true,
    permissions: deployer,
  },
  {
    name: 'approver',
    title: 'Approver',
    description: 'A viewer who decides held calls, everywhere or in one environment.',
    forPeople: true,
    permissions: [...viewer, 'approval:decide'],
  },
  {
    name: 'auditor',
    title: 'Auditor',
    description: 'Reads everything, the trail and its export included, and changes nothing.',
    forPeople: true,
    permissions: permissions.filter((name) => name.endsWith(':read') || name === 'trail:export'),
  },
  {
    name: 'cicd',
    title: 'CI/CD',
    description: 'For tokens of pipelines: uploads rulesets and rolls them out outside protected environments.',
    forPeople: false,
    permissions: ['rulesets:read', 'fleet:read', 'rulesets:write', 'rollouts:write', 'replays:write'],
  },
  {
    name: 'admin',
    title: 'Administrator',
    description: 'Everything, protected environments included.',
    forPeople: true,
    permissions,
  },
]

const sets = new Map(builtInRoles.map((role) => [role.name, new Set(role.permissions)] as const))
const none: ReadonlySet<Permission> = new Set()

export function isBuiltIn(role: string): boolean {
  return sets.has(role)
}

/** The permissions of a built-in role, or of a tenant's own as it is stored; an unknown role may do nothing. */
export function permissionsOf(role: string, stored: readonly string[] | null = null): ReadonlySet<Permission> {
  const builtIn = sets.get(role)
  if (builtIn) return builtIn
  // What an older release knew and this one does not, nobody holds.
  return stored === null ? none : new Set(stored.filter(isPermission))
}
