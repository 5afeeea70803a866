export { checkSessionKey } from './session-key.ts'
export { type SessionValues, sessionValues } from './session-values.ts'
