export { demandStepUp } from './factor-gate.ts'
export {
  type Authenticate,
  type Dialect,
  type MountNeeds,
  mountRoutes,
  type RecordRefusal,
  tellErrors,
} from './mount-routes.ts'
export { type Agent, type Person, type Principal, type ProvenFactors, type TenantId } from './principal.ts'
export { permissionsOf } from './roles.ts'
export { type Method, type Needs, type RequestFacts, type Route, type RouteInput, route } from './route.ts'
