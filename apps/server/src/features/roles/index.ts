export { type Credential, credentialIn, type InlineFactor } from './credential.ts'
export { demandStepUp } from './factor-gate.ts'
export {
  type Authenticate,
  type Dialect,
  type MountNeeds,
  mountRoutes,
  type RecordRefusal,
} from './mount-routes.ts'
export {
  authorityOf,
  authorityOfList,
  covers,
  demand,
  type GrantRow,
  permits,
  permittedIn,
  placeWords,
  rolesInWords,
  type Where,
} from './permits.ts'
export {
  type Agent,
  type Authority,
  type Caller,
  type HeldRole,
  type Person,
  type Principal,
  type ProvenFactors,
  type TenantId,
  type Token,
} from './principal.ts'
export { builtInRoles, isBuiltIn, permissionsOf } from './roles.ts'
export { type Method, type Needs, type RequestFacts, type Route, type RouteInput, route } from './route.ts'
export { tellErrors } from './tell-errors.ts'
