export { findRoles, type Role } from './find-roles.ts'
export { type ManageRoles, manageRoles } from './manage-roles.ts'
export { roleRoutes } from './routes.ts'
