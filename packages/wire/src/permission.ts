/** Everything a person or machine can be allowed to do. A route names one; a role is a list of them. */
export const permissions = [
  'overview:read',
  'approvals:read',
  'approval:decide',
  'approval:cancel',
  'events:read',
  'events:purge',
  'fleet:read',
  'fleet:manage',
  'rulesets:read',
  'rulesets:write',
  'rollouts:write',
  'replays:write',
  'assignments:write',
  'keys:read',
  'keys:write',
  'signing-keys:write',
  'environments:write',
  'trail:read',
  'settings:read',
  'settings:write',
] as const

export type Permission = (typeof permissions)[number]
