export { firstEnvironments, insertEnvironment, listEnvironments } from './environments-table.ts'
export { environmentRoutes } from './routes.ts'
