export { bootstrapFromConfig } from './bootstrap.ts'
export { type Grant, insertGrant } from './grants-table.ts'
export { makeAnotherTenant } from './make-another-tenant.ts'
export { type MakeFirstTenant, makeFirstTenant } from './make-first-tenant.ts'
export { checkPassword } from './password-policy.ts'
export {
  findByEmail,
  findPerson,
  isActive,
  isActiveSql,
  noteSignIn,
  type PersonRow,
  type PersonStatus,
  setPassword,
  statusOf,
} from './people-table.ts'
export { limitSetup, setupRoutes, wrongToken } from './routes.ts'
export { type SetupToken, setupToken } from './setup-token.ts'
