export { type Health, type HealthNeeds, type ReadHealth, readHealth, unreadiness } from './health.ts'
export { tellWorkers } from './worker-metrics.ts'
