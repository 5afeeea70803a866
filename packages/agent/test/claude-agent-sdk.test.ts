import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { type ServerApart, serverApart } from '../../../apps/server/test/server.ts'
import { guardTools } from '../src/claude-agent-sdk.ts'
import { askForMail, noSecrets, rulesetOf } from './rulesets.ts'
import { scene } from './scene.ts'

let server: ServerApart

beforeAll(async () => {
  server = await serverApart()
})
afterAll(() => server.stop())

/**
 * Tools of the shape that the SDK's `tool` gives, in an MCP server as `createSdkMcpServer` makes one of them. The SDK
 * itself is not installed here: it brings a program of some hundred megabytes.
 */
async function connected() {
  const { rollOut, start, events, decide } = await scene(server)
  const rules = `${noSecrets}${askForMail}`.replace(/tool: (\w+)/g, 'tool: mcp__files__$1')
  await rollOut(rulesetOf('base', rules))
  const one = await start({ ruleset: 'base' })
  const ran: unknown[] = []
  const answer = (text: string, isError = false) => ({ content: [{ type: 'text' as const, text }], isError })
  const readFile = {
    name: 'read_file',
    description: 'Reads a file',
    inputSchema: { path: z.string() },
    handler: async (args: { path: string }, _extra: unknown) => {
      ran.push(args)
      return answer(`text of ${args.path}`, args.path === 'missing')
    },
  }
  const sendMail = {
    name: 'send_mail',
    description: 'Sends a mail',
    inputSchema: { to: z.string() },
    handler: async (args: { to: string }, _extra: unknown) => {
      ran.push(args)
      return answer('sent')
    },
  }
  const host = new McpServer({ name: 'files', version: '1.0.0' })
  const [read, send] = guardTools(one, [readFile, sendMail] as const, { server: 'files' })
  host.registerTool(read.name, read, read.handler)
  host.registerTool(send.name, send, send.handler)
  const [near, far] = InMemoryTransport.createLinkedPair()
  const client = new Client({ name: 'claude', version: '1.0.0' })
  await Promise.all([host.connect(far), client.connect(near)])
  onTestFinished(() => client.close())
  return { client, one, ran, events, decide }
}

test('a tool of the Claude Agent SDK runs when the rules let it, under the name Claude calls it by', async () => {
  const { client, one, ran, events } = await connected()
  const { content } = await client.callTool({ name: 'read_file', arguments: { path: 'README.md' } })
  expect(content).toEqual([{ type: 'text', text: 'text of README.md' }])
  await client.callTool({ name: 'read_file', arguments: { path: 'missing' } })
  expect(ran).toEqual([{ path: 'README.md' }, { path: 'missing' }])
  await one.close()
  expect((await events()).map(({ action, tool_name }) => [action, tool_name])).toEqual([
    ['call_allowed', 'mcp__files__read_file'],
    ['call_executed', 'mcp__files__read_file'],
    ['call_allowed', 'mcp__files__read_file'],
    ['call_failed', 'mcp__files__read_file'],
  ])
})

test('a blocked tool is not run, and Claude is told why', async () => {
  const { client, ran } = await connected()
  expect(await client.callTool({ name: 'read_file', arguments: { path: '.env' } })).toMatchObject({
    content: [{ text: 'Secrets stay where they are: .env' }],
    isError: true,
  })
  expect(ran).toEqual([])
})

test('a held tool waits for a human, and stops waiting when Claude gives the call up', async () => {
  const { client, ran, decide } = await connected()
  const mail = (to: string, signal?: AbortSignal) =>
    client.callTool({ name: 'send_mail', arguments: { to } }, undefined, { ...(signal && { signal }) })
  const [{ content }] = await Promise.all([mail('a@example.com'), decide(true)])
  expect(content).toEqual([{ type: 'text', text: 'sent' }])
  await expect(mail('b@example.com', AbortSignal.timeout(200))).rejects.toThrow()
  expect(ran).toEqual([{ to: 'a@example.com' }])
})
