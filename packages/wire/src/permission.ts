/**
 * How far a permission reaches when its role was given for one environment only. `anywhere`: it is given all the same
 * (what is read, or drafted without effect, belongs to no environment). `environment`: in that environment. `tenant`:
 * not at all, since what it allows concerns every environment. `rack`: like `environment`, on every rack there or on the
 * one its role was given for; a role given for one rack leaves nothing of what reaches an environment.
 */
type Reach = 'anywhere' | 'environment' | 'rack' | 'tenant'

type PermissionRow = {
  readonly does: string
  readonly reach: Reach
  /** In protected environments only together with `protected:write`, held by the same role. */
  readonly isGuarded: boolean
  /** False for what a machine must never do: decide for people, or make other credentials. */
  readonly forTokens: boolean
}

const reads = (does: string) => ({ does, reach: 'anywhere', isGuarded: false, forTokens: true }) as const
const drafts = reads
const acts = (does: string) => ({ does, reach: 'environment', isGuarded: true, forTokens: true }) as const
const actsOnRacks = (does: string) => ({ does, reach: 'rack', isGuarded: true, forTokens: true }) as const
const governs = (does: string) => ({ does, reach: 'tenant', isGuarded: false, forTokens: true }) as const
const personally = (does: string, reach: Reach) => ({ does, reach, isGuarded: false, forTokens: false }) as const

/** Everything a person or machine can be allowed to do. A route names one; a role is a list of them. */
export const permissionRows = {
  'overview:read': reads('See the overview and search'),
  'approvals:read': reads('See approvals'),
  'approval:decide': personally('Approve or deny held calls', 'environment'),
  'approval:cancel': personally('Cancel approvals nobody has decided', 'environment'),
  'events:read': reads('See and export what agents reported'),
  'events:purge': personally('Remove old events for good', 'tenant'),
  'fleet:read': reads('See agents'),
  'fleet:manage': acts('Change and remove agents'),
  'rulesets:read': reads('See rulesets, revisions and rollouts'),
  'rulesets:write': drafts('Upload revisions and keep the library'),
  'rollouts:write': acts('Make a revision live'),
  'replays:write': drafts('Rehearse a revision against recorded calls'),
  'assignments:write': acts('Assign rulesets to agents'),
  'keys:read': reads('See agent keys, never the keys themselves'),
  'keys:write': acts('Make, change and revoke agent keys'),
  'rack-processes:write': actsOnRacks('Start, stop, scale and run processes on a rack'),
  'rack-deploys:write': actsOnRacks('Build, release and promote on a rack'),
  'signing-keys:write': personally('Rotate and retire signing keys', 'tenant'),
  'environments:write': governs('Add, protect and remove environments'),
  'protected:write': {
    does: 'Do in protected environments what the same role allows elsewhere',
    reach: 'environment',
    isGuarded: false,
    forTokens: true,
  },
  'people:read': reads('See people, their roles and sessions'),
  'people:write': personally('Invite, change, suspend and remove people', 'tenant'),
  'roles:read': reads('See roles and who may do what'),
  'roles:write': personally('Make, change and remove roles', 'tenant'),
  'tokens:read': reads('See API tokens, never the tokens themselves'),
  'tokens:write': personally('Make, rotate and revoke API tokens', 'tenant'),
  'trail:read': reads('See the trail'),
  'trail:export': reads('Export the trail'),
  'trail:manage': personally('Anchor the trail, place and lift legal holds, erase what it says of a person', 'tenant'),
  'jobs:read': reads('See background jobs'),
  'jobs:write': governs('Retry and cancel background jobs'),
  'settings:read': reads('See settings'),
  'settings:write': personally('Change settings', 'tenant'),
} as const satisfies Record<string, PermissionRow>

export type Permission = keyof typeof permissionRows

/** What only a person can be allowed to do. */
export type PersonalPermission = {
  [Name in Permission]: (typeof permissionRows)[Name]['forTokens'] extends false ? Name : never
}[Permission]

export const permissions = Object.keys(permissionRows) as readonly Permission[]

export function isPermission(name: string): name is Permission {
  return Object.hasOwn(permissionRows, name)
}
