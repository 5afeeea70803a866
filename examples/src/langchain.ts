import { guard } from '@countersign/agent'
import { guardTools } from '@countersign/agent/langchain'
import { type StructuredToolInterface, tool } from '@langchain/core/tools'
import { z } from 'zod'
import { connection, say } from './connection.ts'

const g = await guard({ ...connection, agentId: 'example-langchain' })

const lookupInvoice = tool(async ({ invoice_id }) => JSON.stringify({ invoice_id, total_cents: 12_900 }), {
  name: 'lookup_invoice',
  description: 'Looks an invoice up',
  schema: z.object({ invoice_id: z.string() }),
})
const runSql = tool(async ({ query }) => `done: ${query}`, {
  name: 'run_sql',
  description: 'Runs a statement on the ledger',
  schema: z.object({ query: z.string() }),
})
const tools: StructuredToolInterface[] = guardTools(g, [lookupInvoice, runSql], { blockedAsResult: true })

// What an agent's loop does with a model's answer, without anybody's key. Yours is given the same tools:
// `createAgent({ model, tools })`.
const plan = [
  { name: 'lookup_invoice', args: { invoice_id: 'INV-20117' } },
  { name: 'run_sql', args: { query: "delete from invoices where id = 'INV-20117'" } },
]
for (const [index, call] of plan.entries()) {
  const chosen = tools.find(({ name }) => name === call.name)
  const told: unknown = await chosen?.invoke({ ...call, type: 'tool_call', id: `call-${index}` })
  say(`the model was told: ${JSON.stringify(told)}`)
}
await g.close()
