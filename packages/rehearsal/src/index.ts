export { callIdentity } from './identity.ts'
export { decidingActions, type RecordedEvent, type RecordedLike, type Was } from './recorded-call.ts'
export { type Replay, type ReplayOptions, type ReplayOutcome, replay } from './replay.ts'
export { type Change, type ChangeCounts, type Sample } from './tally.ts'
