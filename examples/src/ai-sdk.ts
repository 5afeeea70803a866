import { guard } from '@countersign/agent'
import { guardTools } from '@countersign/agent/ai-sdk'
import { generateText, jsonSchema, stepCountIs, tool } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { connection, say } from './connection.ts'

const g = await guard({ ...connection, agentId: 'example-ai-sdk' })

const tools = guardTools(g, {
  lookup_invoice: tool({
    description: 'Looks an invoice up',
    inputSchema: jsonSchema<{ invoice_id: string }>({ type: 'object', properties: { invoice_id: { type: 'string' } } }),
    execute: async ({ invoice_id }) => ({ invoice_id, total_cents: 12_900 }),
  }),
  run_sql: tool({
    description: 'Runs a statement on the ledger',
    inputSchema: jsonSchema<{ query: string }>({ type: 'object', properties: { query: { type: 'string' } } }),
    execute: async ({ query }) => `done: ${query}`,
  }),
})

// A model of the script's own, so that the example runs without anybody's key: it looks something up, tries to change it,
// and says what it was told. Put yours in its place.
const plan = [
  { toolName: 'lookup_invoice', input: { invoice_id: 'INV-20117' } },
  { toolName: 'run_sql', input: { query: "delete from invoices where id = 'INV-20117'" } },
]
const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}
const model = new MockLanguageModelV4({
  doGenerate: async ({ prompt }) => {
    const answers = prompt.filter(({ role }) => role === 'tool')
    const next = plan[answers.length]
    if (!next) {
      const text = answers.map(({ content }) => JSON.stringify(content)).join('\n')
      return { content: [{ type: 'text', text }], finishReason: { unified: 'stop', raw: 'stop' }, usage, warnings: [] }
    }
    const call = { type: 'tool-call', toolCallId: `call-${answers.length}`, toolName: next.toolName } as const
    const content = [{ ...call, input: JSON.stringify(next.input) }]
    return { content, finishReason: { unified: 'tool-calls', raw: 'tool' }, usage, warnings: [] }
  },
})

const { text } = await generateText({ model, tools, prompt: 'Void invoice INV-20117.', stopWhen: stepCountIs(5) })
say(`the model was told:\n${text}`)
await g.close()
