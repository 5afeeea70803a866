export { type Account, type Idp, startIdp } from './idp.ts'
export { type Lies, type LyingIdp, startLyingIdp } from './lying-idp.ts'
