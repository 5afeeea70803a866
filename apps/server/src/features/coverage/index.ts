export { type CoveredAgent, type ReadCoverage, readCoverage, usualWindowMs } from './read-coverage.ts'
export { coverageRoutes } from './routes.ts'
