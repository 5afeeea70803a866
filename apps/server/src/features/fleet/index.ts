export type { AgentName, Dialect, EvidenceSource } from './agent.ts'
export { type Evidence, type Fleet, makeFleet, type StreamOpening } from './make-fleet.ts'
export { makeRecall, type Remembered } from './recall.ts'
export { countConnectedAgents, listStreamsOfKey } from './streams-table.ts'
