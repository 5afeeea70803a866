export { type Mfa, makeMfa } from './make-mfa.ts'
export type { Assertion } from './prove-factor.ts'
export { mfaRoutes } from './routes.ts'
