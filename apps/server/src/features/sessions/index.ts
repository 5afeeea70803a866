export { authenticatePerson, renewCookie, type SessionReader, unspentMs } from './authenticate-person.ts'
export { type CsrfTokens, csrfTokens } from './csrf-token.ts'
export { type EndSessions, endAllSessions, endSessions } from './end-sessions.ts'
export { type OthersSessions, othersSessionRoutes, othersSessions } from './others-sessions.ts'
export { type Lifted, type ProveSession, proveSession, rotateSession } from './prove-session.ts'
export { sessionRoutes } from './routes.ts'
export { clearedCookies, isSessionToken, sessionCookie } from './session-cookie.ts'
export { type ReadSessionLimits, readSessionLimits } from './session-limits.ts'
export {
  clearProofs,
  countSessions,
  findWireNo,
  listLiveSessionIds,
  spendUnspent,
  sweepSessions,
} from './sessions-table.ts'
export { changePassword, type SignIn, signIn } from './sign-in.ts'
export { insertAttempt, sweepAttempts, takeAttempt } from './sign-in-attempts-table.ts'
export { type Begun, type StartSession, startSession } from './start-session.ts'
