export { firstEnvironments, insertEnvironment, isProtectedEnvironment, listEnvironments } from './environments-table.ts'
export { environmentRoutes } from './routes.ts'
