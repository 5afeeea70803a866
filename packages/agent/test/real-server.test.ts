import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type ServerApart, serverApart } from '../../../apps/server/test/server.ts'
import type { Guard } from '../src/index.ts'
import { askForMail, noSecrets, rulesetOf, temporaryFolder } from './rulesets.ts'
import { scene } from './scene.ts'

let server: ServerApart

beforeAll(async () => {
  server = await serverApart()
})
afterAll(() => server.stop())

const strict = rulesetOf('base', noSecrets)
const lax = rulesetOf('base', noSecrets.replace('.env', '.never'))
const patience = { timeout: 30_000 }
const readSecret = (one: Guard): Promise<unknown> =>
  one.run({ tool: 'read_file', args: { path: '.env' } }, () => 'secret')
const actions = (events: readonly Record<string, unknown>[]): string[] => events.map(({ action }) => String(action))

test('what is rolled out is enforced, rolled out anew and rolled back, and the server sees it running each time', async () => {
  const { rollOut, goBack, start, person } = await scene(server)
  await rollOut(strict)
  const one = await start({ ruleset: 'base' })
  await expect(readSecret(one)).rejects.toMatchObject({ rule: 'no-secrets' })
  const state = async (): Promise<unknown> => {
    const { items } = (await person('GET', '/rollouts?ruleset=base')) as { items: { id: string }[] }
    const { agents } = (await person('GET', `/rollouts/${items[0]?.id ?? ''}`)) as { agents: { state: string }[] }
    return agents.map((agent) => agent.state)
  }
  await vi.waitFor(async () => expect(await state()).toEqual(['running']), patience)
  await rollOut(lax)
  await vi.waitFor(async () => expect(await readSecret(one)).toBe('secret'), patience)
  // Acknowledged by its manifest, before any call is reported.
  await vi.waitFor(async () => expect(await state()).toEqual(['running']), patience)
  await goBack('base', 1)
  await vi.waitFor(() => expect(readSecret(one)).rejects.toMatchObject({ rule: 'no-secrets' }), patience)
  expect(one.problems).toEqual([])
})

test('calls are told to the server, each event once', async () => {
  const { rollOut, start, events } = await scene(server)
  await rollOut(strict)
  const one = await start({ ruleset: 'base', principal: { role: 'tester', userId: 'u1' } })
  await one.run({ tool: 'work', args: { n: 1 } }, () => 1)
  await expect(readSecret(one)).rejects.toThrow('Secrets stay')
  await one.close()
  const found = await events()
  expect(actions(found)).toEqual(['call_allowed', 'call_executed', 'call_blocked'])
  expect(found[2]).toMatchObject({ decision_name: 'no-secrets', policy_version: one.status().revision, agent_id: 'a1' })
  expect(found[0]).toMatchObject({ principal: { role: 'tester', user_id: 'u1' }, session_id: one.status().sessionId })
})

test('an agent that names no ruleset gets the one assigned to it, and moves when that changes', async () => {
  const { rollOut, start, person } = await scene(server)
  await rollOut(strict)
  await rollOut(rulesetOf('other', noSecrets.replace('no-secrets', 'no-env')))
  const rule = { priority: 1, pattern: 'a*', tag_match: { team: 'x' }, ruleset: 'base', environment: 'production' }
  const { id } = await person('POST', '/assignment-rules', rule)
  const one = await start({ tags: { team: 'x' } })
  expect(one.status().ruleset).toBe('base')
  await person('PATCH', `/assignment-rules/${String(id)}`, { ...rule, ruleset: 'other' })
  await vi.waitFor(() => expect(one.status().ruleset).toBe('other'), patience)
  await expect(readSecret(one)).rejects.toMatchObject({ rule: 'no-env' })
})

test('a held call waits for a human and ends as he says', async () => {
  const { rollOut, start, decide, events } = await scene(server)
  await rollOut(rulesetOf('base', askForMail))
  const one = await start({ ruleset: 'base' })
  const mail = () => one.run({ tool: 'send_mail', args: { to: 'a@example.com' } }, () => 'sent')
  const [sent] = await Promise.all([mail(), decide(true)])
  expect(sent).toBe('sent')
  const [denied] = await Promise.allSettled([mail(), decide(false, 'Not today')])
  expect(denied).toMatchObject({ status: 'rejected', reason: { message: 'Not today', code: 'approval_denied' } })
  await one.close()
  expect(actions(await events()).slice(-3)).toEqual(['call_asked', 'call_approval_blocked', 'call_blocked'])
})

test('limits on the server hold for all processes of a session together', async () => {
  const { rollOut, start } = await scene(server)
  await rollOut(
    rulesetOf(
      'base',
      '  - { id: few, type: session, limits: { max_tool_calls: 5 }, then: { action: block, message: Enough. } }\n',
    ),
  )
  const shared = { ruleset: 'base', counters: 'server', sessionId: 'user@example.com 1' } as const
  const [one, other] = await Promise.all([start(shared), start(shared)])
  const calls = Array.from({ length: 12 }, (_, at) => (at % 2 === 0 ? one : other).run({ tool: 'work' }, () => 1))
  const done = (await Promise.allSettled(calls)).filter(({ status }) => status === 'fulfilled')
  expect(done).toHaveLength(5)
})

test('a rotated signing key is followed once the API key is moved to it, without anything being configured', async () => {
  const { rollOut, start, person, keyId } = await scene(server)
  await rollOut(strict)
  const one = await start({ ruleset: 'base' })
  const { key } = (await person('POST', '/signing-keys/rotate')) as { key: { id: string } }
  await person('PATCH', `/keys/${keyId}`, { signing_key_id: key.id })
  await rollOut(lax)
  await vi.waitFor(async () => expect(await readSecret(one)).toBe('secret'), patience)
  expect(one.problems).toEqual([])
})

test('a process that is killed loses no event it went on after', async () => {
  const { rollOut, start, key, events } = await scene(server)
  await rollOut(strict)
  const stateDir = await temporaryFolder()
  const worker = fileURLToPath(new URL('./killed-agent.ts', import.meta.url))
  const child = spawn(process.execPath, [worker, server.url, key, stateDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  let last = -1
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line)
    if (last >= 300) break
  }
  child.kill('SIGKILL')
  await once(child, 'close')
  await start({ ruleset: 'base', stateDir })
  const told = async (): Promise<number[]> => {
    const executed = (await events()).filter(({ action }) => action === 'call_executed')
    return executed.map(({ tool_args }) => (tool_args as { number: number }).number)
  }
  await vi.waitFor(async () => expect((await told()).length).toBeGreaterThan(last), patience)
  const numbers = await told()
  // Each once, and none missing among those the process got past.
  expect(numbers.slice(0, last + 1)).toEqual(Array.from({ length: last + 1 }, (_, number) => number))
  expect(new Set(numbers).size).toBe(numbers.length)
})
