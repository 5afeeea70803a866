export { countAgents } from './overview-table.ts'
export { type ReadOverview, readOverview } from './read-overview.ts'
export { overviewRoutes } from './routes.ts'
