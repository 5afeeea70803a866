import { StructuredTool, tool } from '@langchain/core/tools'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { type ServerApart, serverApart } from '../../../apps/server/test/server.ts'
import { CallBlocked } from '../src/index.ts'
import { type GuardToolsOptions, guardTools } from '../src/langchain.ts'
import { askForMail, noKeysOut, noSecrets, rulesetOf } from './rulesets.ts'
import { scene } from './scene.ts'

let server: ServerApart

beforeAll(async () => {
  server = await serverApart()
})
afterAll(() => server.stop())

const noLoops = `  - id: no-loops
    type: pre
    tool: count
    when:
      args.input: { contains: forever }
    then: { action: block, message: Nothing is counted forever. }
`

async function ready(options: GuardToolsOptions = {}) {
  const { rollOut, start, events, decide } = await scene(server)
  await rollOut(rulesetOf('base', `${noSecrets}${askForMail}${noKeysOut}${noLoops}`))
  const one = await start({ ruleset: 'base' })
  const ran: unknown[] = []

  /** A tool as a package brings it: a class of its own. */
  class ReadFile extends StructuredTool {
    name = 'read_file'
    description = 'Reads a file'
    schema = z.object({ path: z.string(), lines: z.number().default(10) })
    protected override async _call(input: { path: string; lines: number }): Promise<string> {
      ran.push(input)
      return `text of ${input.path}`
    }
  }
  const sendMail = tool(
    ({ to }: { to: string }) => {
      ran.push(to)
      return 'sent'
    },
    { name: 'send_mail', description: 'Sends a mail', schema: z.object({ to: z.string() }) },
  )
  const readInvoice = tool(async () => ['sk-1234', { pages: 1 }], {
    name: 'read_invoice',
    description: 'Reads an invoice',
    schema: z.object({}),
    responseFormat: 'content_and_artifact',
  })
  const count = tool(
    async function* (upTo: string) {
      yield 'counting'
      ran.push(upTo)
      return `counted to ${upTo}`
    } as never,
    { name: 'count', description: 'Counts', schema: z.string() },
  )
  const tools = guardTools(one, [new ReadFile(), sendMail, readInvoice, count] as const, options)
  return { one, tools, ran, events, decide }
}

/** What an agent's loop hands to a tool. */
const call = (name: string, args: Record<string, unknown>) => ({ type: 'tool_call', id: 'c1', name, args }) as const

test('a tool of LangChain runs when the rules let it, with its input as its schema completed it', async () => {
  const { one, tools, ran, events } = await ready()
  const answer = await tools[0].invoke(call('read_file', { path: 'README.md' }))
  expect(answer).toMatchObject({ content: 'text of README.md', tool_call_id: 'c1' })
  expect(ran).toEqual([{ path: 'README.md', lines: 10 }])
  expect(tools[0]).toBeInstanceOf(StructuredTool)
  await one.close()
  expect((await events()).map(({ action, tool_name }) => [action, tool_name])).toEqual([
    ['call_allowed', 'read_file'],
    ['call_executed', 'read_file'],
  ])
})

test('a blocked tool is not run and throws CallBlocked, whichever way it is called', async () => {
  const { tools, ran } = await ready()
  const [readFile] = tools
  await expect(readFile.invoke(call('read_file', { path: '.env' }))).rejects.toThrow(CallBlocked)
  await expect(readFile.invoke({ path: '.env' })).rejects.toThrow('Secrets stay where they are: .env')
  await expect(readFile.call({ path: '.env' })).rejects.toThrow(CallBlocked)
  await expect(readFile.batch([{ path: '.env' }])).rejects.toThrow(CallBlocked)
  await expect(readFile.withConfig({}).invoke({ path: '.env' })).rejects.toThrow(CallBlocked)
  expect(ran).toEqual([])
})

test('where a loop ends when a tool throws, a blocked call is answered with the rule’s message', async () => {
  const { tools, ran } = await ready({ blockedAsResult: true })
  const answer = await tools[0].invoke(call('read_file', { path: '.env' }))
  expect(answer).toMatchObject({ content: 'Secrets stay where they are: .env' })
  expect(ran).toEqual([])
})

test('a held tool waits for a human, and stops waiting when the loop is aborted', async () => {
  const { tools, ran, decide } = await ready()
  const [, sendMail] = tools
  const [answer] = await Promise.all([sendMail.invoke({ to: 'a@example.com' }), decide(true)])
  expect(answer).toBe('sent')
  await expect(sendMail.invoke({ to: 'b@example.com' }, { signal: AbortSignal.timeout(200) })).rejects.toThrow()
  expect(ran).toEqual(['a@example.com'])
})

test('a result that a rule suppresses does not reach the model, beside the artifact neither', async () => {
  const { tools } = await ready()
  const answer = await tools[2].invoke(call('read_invoice', {}))
  expect(JSON.stringify(answer)).not.toContain('sk-1234')
})

test('a tool of a single text has it judged as its input, and its last word is its result', async () => {
  const { tools, ran } = await ready()
  const [, , , count] = tools
  expect(await count.invoke('three')).toBe('counted to three')
  await expect(count.invoke('forever')).rejects.toThrow('Nothing is counted forever.')
  expect(ran).toEqual(['three'])
})

test('what only looks like a tool is not taken for guarded', async () => {
  const { one } = await ready()
  expect(() => guardTools(one, [{ name: 'remote', invoke: async () => 'done' }])).toThrow(
    'The tool remote is not run by LangChain',
  )
})
