import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { CallToolRequestSchema, CallToolResultSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type ServerApart, serverApart } from '../../../apps/server/test/server.ts'
import { type GuardClientOptions, guardClient } from '../src/mcp.ts'
import { askForMail, noKeysOut, noSecrets, rulesetOf } from './rulesets.ts'
import { scene } from './scene.ts'

let server: ServerApart

beforeAll(async () => {
  server = await serverApart()
})
afterAll(() => server.stop())

/** A client of a real MCP server in this process, guarded by rules on a real server of ours. */
async function connected(options: GuardClientOptions = {}, rules = `${noSecrets}${askForMail}${noKeysOut}`) {
  const { rollOut, start, events, decide } = await scene(server)
  await rollOut(rulesetOf('base', rules))
  const one = await start({ ruleset: 'base' })
  const ran: unknown[] = []
  const tools = new Server({ name: 'files', version: '1.0.0' }, { capabilities: { tools: {} } })
  tools.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: [{ name: 'read_file', inputSchema: { type: 'object' } }],
  }))
  tools.setRequestHandler(CallToolRequestSchema, ({ params }) => {
    ran.push(params)
    const text = params.name === 'read_invoice' ? 'sk-1234' : `did ${params.name}`
    return { content: [{ type: 'text', text }], isError: params.name === 'fail' }
  })
  const [near, far] = InMemoryTransport.createLinkedPair()
  const plain = new Client({ name: 'agent', version: '1.0.0' })
  await Promise.all([tools.connect(far), plain.connect(near)])
  onTestFinished(() => plain.close())
  return { client: guardClient(one, plain, options), one, ran, events, decide }
}

test('a tool of an MCP server is called when the rules let it', async () => {
  const { client, ran, events, one } = await connected()
  const result = await client.callTool({ name: 'read_file', arguments: { path: 'README.md' } })
  expect(result.content).toEqual([{ type: 'text', text: 'did read_file' }])
  expect(ran).toEqual([{ name: 'read_file', arguments: { path: 'README.md' } }])
  expect((await client.listTools()).tools).toHaveLength(1)
  await client.callTool({ name: 'fail' })
  await one.close()
  expect((await events()).map(({ action }) => action)).toEqual([
    'call_allowed',
    'call_executed',
    'call_allowed',
    'call_failed',
  ])
})

test('a blocked call never reaches the MCP server, whichever way it is made', async () => {
  const { client, ran } = await connected()
  const params = { name: 'read_file', arguments: { path: '.env' } }
  await expect(client.callTool(params)).rejects.toMatchObject({ rule: 'no-secrets' })
  await expect(client.request({ method: 'tools/call', params }, CallToolResultSchema)).rejects.toMatchObject({
    rule: 'no-secrets',
  })
  expect(() => client.experimental).toThrow('cannot be guarded')
  await expect(client.request({ method: 'tools/call' }, CallToolResultSchema)).rejects.toMatchObject({
    code: 'bad_call',
  })
  expect(ran).toEqual([])
})

test('a blocked call may be told as a result, for loops that hand results to a model', async () => {
  const { client, ran } = await connected({ blockedAsResult: true })
  const result = await client.callTool({ name: 'read_file', arguments: { path: '.env' } })
  expect(result).toEqual({ content: [{ type: 'text', text: 'Secrets stay where they are: .env' }], isError: true })
  expect(ran).toEqual([])
})

test('a held call waits for a human', async () => {
  const { client, ran, decide } = await connected()
  const mail = { name: 'send_mail', arguments: { to: 'a@example.com' } }
  const [denied] = await Promise.allSettled([client.callTool(mail), decide(false)])
  expect(denied).toMatchObject({ status: 'rejected', reason: { code: 'approval_denied' } })
  expect(ran).toEqual([])
  await Promise.all([client.callTool(mail), decide(true)])
  expect(ran).toHaveLength(1)
})

test('tools of several servers are told apart by name', async () => {
  const rules = noSecrets.replace('tool: read_file', 'tool: mcp__files__*')
  const { client } = await connected({ server: 'files' }, rules)
  await expect(client.callTool({ name: 'read_file', arguments: { path: '.env' } })).rejects.toMatchObject({
    tool: 'mcp__files__read_file',
  })
})

test('output that a rule suppresses comes as a text in its place', async () => {
  const { client } = await connected()
  const result = await client.callTool({ name: 'read_invoice' })
  expect(result.content).toEqual([{ type: 'text', text: '[OUTPUT SUPPRESSED] The output holds a key.' }])
})
