export { readCaller } from './caller.ts'
export type { StreamLimits } from './hub-needs.ts'
export { type AgentStreams, makeAgentStreams, type Sent } from './make-agent-streams.ts'
