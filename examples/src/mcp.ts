import { guard } from '@countersign/agent'
import { guardClient } from '@countersign/agent/mcp'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { CallToolRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { attempt, connection } from './connection.ts'

const g = await guard({ ...connection, agentId: 'example-mcp' })

// An MCP server of the script's own; yours is reached over standard input and output, or HTTP.
const ledger = new Server({ name: 'ledger', version: '1.0.0' }, { capabilities: { tools: {} } })
ledger.setRequestHandler(CallToolRequestSchema, ({ params }) => ({
  content: [{ type: 'text', text: `${params.name} done` }],
}))
const [near, far] = InMemoryTransport.createLinkedPair()
const plain = new Client({ name: 'example', version: '1.0.0' })
await Promise.all([ledger.connect(far), plain.connect(near)])

const client = guardClient(g, plain)
const sql = (query: string): Promise<unknown> => client.callTool({ name: 'run_sql', arguments: { query } })

await attempt('a question to the ledger', () => sql("select total from invoices where id = 'INV-20117'"))
await attempt('a change of the ledger', () => sql("update invoices set status = 'void' where id = 'INV-20117'"))
await plain.close()
await g.close()
