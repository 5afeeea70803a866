import { guard } from '@countersign/agent'
import { guardTool } from '@countersign/agent/openai-agents'
import { Agent, type Model, type ModelResponse, Runner, tool, Usage } from '@openai/agents-core'
import { z } from 'zod'
import { connection, say } from './connection.ts'

const g = await guard({ ...connection, agentId: 'example-openai-agents' })

const guarded = guardTool(g, tool)
const lookupInvoice = guarded({
  name: 'lookup_invoice',
  description: 'Looks an invoice up',
  parameters: z.object({ invoice_id: z.string() }),
  execute: async ({ invoice_id }) => ({ invoice_id, total_cents: 12_900 }),
})
const runSql = guarded({
  name: 'run_sql',
  description: 'Runs a statement on the ledger',
  parameters: z.object({ query: z.string() }),
  execute: async ({ query }) => `done: ${query}`,
})

// A model of the script's own, so that the example runs without anybody's key: it looks something up, tries to change it,
// and says what it was told. Leave `model` out, and the SDK asks OpenAI's.
const plan = [
  { name: 'lookup_invoice', input: { invoice_id: 'INV-20117' } },
  { name: 'run_sql', input: { query: "delete from invoices where id = 'INV-20117'" } },
]
const answer = (item: ModelResponse['output'][number]): ModelResponse => ({ usage: new Usage(), output: [item] })
const model: Model = {
  getResponse: async ({ input }) => {
    const told = typeof input === 'string' ? [] : input.filter(({ type }) => type === 'function_call_result')
    const next = plan[told.length]
    if (next) {
      const call = { type: 'function_call', callId: `call-${told.length}`, name: next.name } as const
      return answer({ ...call, status: 'completed', arguments: JSON.stringify(next.input) })
    }
    const text = told.map((one) => JSON.stringify(one)).join('\n')
    return answer({
      type: 'message',
      role: 'assistant',
      status: 'completed',
      content: [{ type: 'output_text', text }],
    })
  },
  getStreamedResponse: () => {
    throw new Error('This model does not stream.')
  },
}

const agent = new Agent({ name: 'billing', model, tools: [lookupInvoice, runSql] })
const { finalOutput } = await new Runner({ tracingDisabled: true }).run(agent, 'Void invoice INV-20117.')
say(`the model was told:\n${String(finalOutput)}`)
await g.close()
