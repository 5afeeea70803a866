export { type Recovery, recoverAdministrator } from './recover-administrator.ts'
export { listRecoveryNotices, tellAdministrators } from './recovery-notices-table.ts'
export { recoveryRoutes } from './routes.ts'
