import { Agent, type Model, type ModelResponse, Runner, tool, Usage } from '@openai/agents-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { type ServerApart, serverApart } from '../../../apps/server/test/server.ts'
import { guardTool } from '../src/openai-agents.ts'
import { askForMail, noSecrets, rulesetOf } from './rulesets.ts'
import { scene } from './scene.ts'

let server: ServerApart

beforeAll(async () => {
  server = await serverApart()
})
afterAll(() => server.stop())

/** A model that makes this call and then says what it was told of it. */
function modelThatCalls(name: string, input: object): Model {
  const answer = (output: ModelResponse['output']): ModelResponse => ({ usage: new Usage(), output })
  return {
    getResponse: async ({ input: items }) => {
      const told = typeof items === 'string' ? undefined : items.find(({ type }) => type === 'function_call_result')
      if (!told) {
        const call = { type: 'function_call', callId: 'c1', name, status: 'completed' } as const
        return answer([{ ...call, arguments: JSON.stringify(input) }])
      }
      const text = JSON.stringify(told)
      return answer([
        { type: 'message', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text }] },
      ])
    },
    getStreamedResponse: () => {
      throw new Error('This model does not stream.')
    },
  }
}

const pathInput = z.object({ path: z.string() })
const mailInput = z.object({ to: z.string() })

async function ready() {
  const { rollOut, start, events, decide } = await scene(server)
  await rollOut(rulesetOf('base', `${noSecrets}${askForMail}`))
  const one = await start({ ruleset: 'base' })
  const guarded = guardTool(one, tool)
  const ran: unknown[] = []
  const readFile = guarded({
    // The SDK makes read_file of it.
    name: 'read file',
    description: 'Reads a file',
    parameters: pathInput,
    execute: async (input) => {
      ran.push(input)
      if (input.path === 'broken') throw new Error('the disk is broken')
      return 'its text'
    },
  })
  const sendMail = guarded({
    name: 'send_mail',
    description: 'Sends a mail',
    parameters: mailInput,
    execute: async (input) => {
      ran.push(input)
      return 'sent'
    },
  })
  const ask = async (name: string, input: object): Promise<string> => {
    const agent = new Agent({ name: 'tester', model: modelThatCalls(name, input), tools: [readFile, sendMail] })
    const runner = new Runner({ tracingDisabled: true })
    const { finalOutput } = await runner.run(agent, 'go')
    return String(finalOutput)
  }
  return { one, ran, ask, guarded, events, decide }
}

test('a tool of the OpenAI Agents SDK runs when the rules let it, and the model gets its result', async () => {
  const { one, ran, ask, events } = await ready()
  expect(await ask('read_file', { path: 'README.md' })).toContain('its text')
  expect(ran).toEqual([{ path: 'README.md' }])
  await one.close()
  expect((await events()).map(({ action, tool_name }) => [action, tool_name])).toEqual([
    ['call_allowed', 'read_file'],
    ['call_executed', 'read_file'],
  ])
})

test('a blocked tool is not run, under the name the model calls it by, and the model is told why', async () => {
  const { ran, ask } = await ready()
  expect(await ask('read_file', { path: '.env' })).toContain('Secrets stay where they are: .env')
  expect(ran).toEqual([])
})

test('a tool that fails is reported as failed, although the SDK makes a result of it for the model', async () => {
  const { one, ask, events } = await ready()
  expect(await ask('read_file', { path: 'broken' })).toContain('An error occurred')
  await one.close()
  expect((await events()).map(({ action }) => action)).toEqual(['call_allowed', 'call_failed'])
})

test('a held tool waits for a human within the run', async () => {
  const { ran, ask, decide } = await ready()
  const [text] = await Promise.all([ask('send_mail', { to: 'a@example.com' }), decide(true)])
  expect(ran).toEqual([{ to: 'a@example.com' }])
  expect(text).toContain('sent')
})

test('a human’s no reaches the model, and nothing is sent', async () => {
  const { ran, ask, decide } = await ready()
  const [text] = await Promise.all([ask('send_mail', { to: 'a@example.com' }), decide(false, 'not to them')])
  expect(ran).toEqual([])
  expect(text).toContain('not to them')
})

test('a tool without code of its own is not taken for guarded', async () => {
  const { guarded } = await ready()
  expect(() => guarded({ name: 'nothing', description: '', parameters: pathInput } as never)).toThrow(
    'The tool nothing has no execute',
  )
})
