export { type Mfa, makeMfa } from './make-mfa.ts'
export { mfaRoutes } from './routes.ts'
