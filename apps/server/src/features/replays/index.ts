export { findNewestReplay } from './replays-table.ts'
export { requestReplay, retryReplay, stopReplay } from './request-replay.ts'
export { replayOnWire, replayRoutes } from './routes.ts'
export { runReplays } from './run-replays.ts'
