export { findAgentKey, listAgentKeys } from './agent-keys-table.ts'
export { type AgentReader, authenticateAgent } from './authenticate-agent.ts'
export { type ManageAgentKeys, manageAgentKeys } from './manage-agent-keys.ts'
export { agentKeyRoutes } from './routes.ts'
