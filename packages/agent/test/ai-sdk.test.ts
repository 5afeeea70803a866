import { generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ServerApart, serverApart } from '../../../apps/server/test/server.ts'
import { guardTools } from '../src/ai-sdk.ts'
import { askForMail, noSecrets, rulesetOf } from './rulesets.ts'
import { scene } from './scene.ts'

let server: ServerApart

beforeAll(async () => {
  server = await serverApart()
})
afterAll(() => server.stop())

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}

/** A model that makes this call and then says what it was told of it. */
function modelThatCalls(toolName: string, input: object): MockLanguageModelV4 {
  return new MockLanguageModelV4({
    doGenerate: async ({ prompt }) => {
      const told = prompt.findLast(({ role }) => role === 'tool')
      if (told) {
        const content = [{ type: 'text', text: JSON.stringify(told.content) } as const]
        return { content, finishReason: { unified: 'stop', raw: 'stop' }, usage, warnings: [] }
      }
      const content = [{ type: 'tool-call', toolCallId: 'c1', toolName, input: JSON.stringify(input) } as const]
      return { content, finishReason: { unified: 'tool-calls', raw: 'tool' }, usage, warnings: [] }
    },
  })
}

const pathInput = jsonSchema<{ path: string }>({ type: 'object', properties: { path: { type: 'string' } } })
const mailInput = jsonSchema<{ to: string }>({ type: 'object', properties: { to: { type: 'string' } } })

async function tools() {
  const { rollOut, start, events, decide } = await scene(server)
  await rollOut(rulesetOf('base', `${noSecrets}${askForMail}`))
  const one = await start({ ruleset: 'base' })
  const ran: string[] = []
  const guarded = guardTools(one, {
    read_file: tool({
      description: 'Reads a file',
      inputSchema: pathInput,
      execute: async ({ path }) => {
        ran.push(path)
        return `text of ${path}`
      },
    }),
    send_mail: tool({
      inputSchema: mailInput,
      execute: async function* ({ to }) {
        yield 'sending'
        ran.push(to)
        yield `sent to ${to}`
      },
    }),
  })
  return { one, guarded, ran, events, decide }
}

test('a tool of the AI SDK runs when the rules let it, and the model gets its result', async () => {
  const { one, guarded, ran, events } = await tools()
  const model = modelThatCalls('read_file', { path: 'README.md' })
  const { text } = await generateText({ model, tools: guarded, prompt: 'go', stopWhen: stepCountIs(2) })
  expect(ran).toEqual(['README.md'])
  expect(text).toContain('text of README.md')
  await one.close()
  expect((await events()).map(({ action }) => action)).toEqual(['call_allowed', 'call_executed'])
})

test('a blocked tool is not run, and the model is told why', async () => {
  const { guarded, ran } = await tools()
  const model = modelThatCalls('read_file', { path: '.env' })
  const { text } = await generateText({ model, tools: guarded, prompt: 'go', stopWhen: stepCountIs(2) })
  expect(ran).toEqual([])
  expect(text).toContain('Secrets stay where they are: .env')
})

test('a held tool waits for a human within the model’s loop, and its last word is its result', async () => {
  const { guarded, ran, decide } = await tools()
  const model = modelThatCalls('send_mail', { to: 'a@example.com' })
  const loop = generateText({ model, tools: guarded, prompt: 'go', stopWhen: stepCountIs(2) })
  const [{ text }] = await Promise.all([loop, decide(true)])
  expect(ran).toEqual(['a@example.com'])
  expect(text).toContain('sent to a@example.com')
})

test('a loop that is aborted does not wait for the human any longer', async () => {
  const { guarded, ran } = await tools()
  const abort = new AbortController()
  const model = modelThatCalls('send_mail', { to: 'a@example.com' })
  const loop = generateText({
    model,
    tools: guarded,
    prompt: 'go',
    abortSignal: abort.signal,
    onStepFinish: () => undefined,
    prepareStep: () => {
      setTimeout(() => abort.abort(), 200)
      return {}
    },
  })
  await loop.catch(() => undefined)
  expect(ran).toEqual([])
})

test('a tool that somebody else runs is not taken for guarded', async () => {
  const { one } = await tools()
  const page = { confirm: tool({ inputSchema: pathInput }) }
  expect(() => guardTools(one, page)).toThrow('The tool confirm is not run here')
  expect(guardTools(one, page, { ungoverned: ['confirm'] }).confirm).toBe(page.confirm)
})

test('streamed text is guarded by the same tools', async () => {
  const { guarded, ran } = await tools()
  const model = new MockLanguageModelV4({
    doStream: async () => ({
      stream: new ReadableStream({
        start: (controller) => {
          controller.enqueue({ type: 'stream-start', warnings: [] })
          controller.enqueue({ type: 'tool-call', toolCallId: 'c1', toolName: 'read_file', input: '{"path":".env"}' })
          controller.enqueue({ type: 'finish', finishReason: { unified: 'tool-calls', raw: 'tool' }, usage })
          controller.close()
        },
      }),
    }),
  })
  const kinds: string[] = []
  for await (const part of streamText({ model, tools: guarded, prompt: 'go' }).fullStream) kinds.push(part.type)
  expect(kinds).toContain('tool-error')
  expect(ran).toEqual([])
})
