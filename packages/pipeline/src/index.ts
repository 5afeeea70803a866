export { type Call, type Failed, govern, type Outcome, type Place, type Stages } from './govern.ts'
export type { Allow, Block, Challenge, Hold, Verdict } from './verdict.ts'
