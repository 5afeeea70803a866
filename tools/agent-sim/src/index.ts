export { type Dialect, dialectA2, dialectD, type SimEvent } from './dialect.ts'
export { Operator } from './operator.ts'
export { readStream, type StreamEvent } from './read-stream.ts'
export { SimAgent, type SimAgentOptions, type SimCall } from './sim-agent.ts'
