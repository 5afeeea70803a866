export { liftOneHold, placeHold } from './holds.ts'
export { type RemovalHealth, removalHealth } from './removal-health.ts'
export {
  type Plan,
  type RemovalOutcome,
  type RemoveExpired,
  type RetentionPolicy,
  removeExpired,
} from './remove-expired.ts'
export type { Retention } from './retention-state.ts'
export { retentionRoutes } from './routes.ts'
