export { type Mfa, makeMfa } from './make-mfa.ts'
export type { Assertion } from './prove-factor.ts'
export { proveInline, readAssertion } from './prove-inline.ts'
export { mfaRoutes } from './routes.ts'
