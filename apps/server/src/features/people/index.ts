export { type AdmitNewcomer, admitNewcomer } from './admit-newcomer.ts'
export { bootstrapFromConfig } from './bootstrap.ts'
export { demandCoverOf } from './demand-cover-of.ts'
export { type GiveRoles, giveRoles } from './give-roles.ts'
export { findAuthority, type Grant, holdAccess, isAdministrator, listPeopleWho } from './grants-table.ts'
export { type ListedPerson, listPeople } from './list-people.ts'
export { makeAnotherTenant } from './make-another-tenant.ts'
export { type MakeFirstTenant, makeFirstTenant } from './make-first-tenant.ts'
export { type ManagePeople, managePeople } from './manage-people.ts'
export { checkPassword } from './password-policy.ts'
export { linkRoutes, peopleRoutes } from './people-routes.ts'
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
export { type MakeLink, makeLink, useLinks } from './person-links.ts'
export { limitSetup, setupRoutes, wrongToken } from './routes.ts'
export { seedPeople } from './seed-people.ts'
export { type SetupToken, setupToken } from './setup-token.ts'
export { type Synced, syncPeople } from './sync-people.ts'
