import { readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { pretendServer, servedBy } from '../test/pretend-server.ts'
import { temporaryFolder, told } from '../test/rulesets.ts'
import { isStrict, kinds, signer, start, strict } from '../test/started-guard.ts'

test('events and the manifest reach the server', async () => {
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: strict }))
  const one = await start(server)
  await one.run({ tool: 'work' }, () => 1)
  await isStrict(one)
  await one.close()
  expect(told(server.events as never)).toEqual(['call_allowed', 'call_executed', 'call_blocked no-secrets'])
  expect(server.manifests[0]).toMatchObject({
    agent_id: 'a1',
    policy_version: one.status().revision,
    rules: [{ id: 'no-secrets', type: 'pre', tool: 'read_file', mode: 'enforce' }],
  })
})

test('events of an outage are delivered when the server is back, each once and in order', async () => {
  const stateDir = await temporaryFolder()
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: strict }))
  const one = await start(server, { stateDir })
  await server.stop()
  for (let number = 0; number < 30; number += 1) await one.run({ tool: 'work', args: { number } }, () => 1)
  await isStrict(one)
  expect(one.status().unsentBytes).toBeGreaterThan(0)
  await one.close()
  const back = await pretendServer(server.port)
  back.greetWith(servedBy(signer, { name: 'base', yaml: strict }))
  const again = await start(back, { stateDir })
  await vi.waitFor(() => expect(back.events).toHaveLength(61), 5_000)
  const numbers = back.events.map(({ tool_args }) => (tool_args as { number?: number }).number)
  expect(numbers).toEqual([...Array.from({ length: 30 }, (_, number) => [number, number]).flat(), undefined])
  await vi.waitFor(() => expect(again.status().unsentBytes).toBe(0))
})

test('a server that comes back while the agent runs is told what it missed', async () => {
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: strict }))
  const one = await start(server)
  await server.stop()
  await vi.waitFor(() => expect(one.status().isConnected).toBe(false))
  for (let number = 0; number < 5; number += 1) await one.run({ tool: 'work', args: { number } }, () => 1)
  const back = await pretendServer(server.port)
  await vi.waitFor(() => expect(back.events).toHaveLength(10), 10_000)
  await vi.waitFor(() => expect(one.status().isConnected).toBe(true))
})

test('an event the server cannot read holds up no other', async () => {
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: strict }))
  const one = await start(server)
  const taken: Record<string, unknown>[] = []
  server.on('POST /v1/events', ({ body }, response) => {
    const { events } = JSON.parse(body) as { events: Record<string, unknown>[] }
    if (events.some(({ tool_name }) => tool_name === 'poison')) return server.answer(response, 422, { detail: 'no' })
    taken.push(...events)
    server.answer(response, 200, { accepted: events.length })
  })
  for (const tool of ['a', 'b', 'poison', 'c', 'd']) await one.run({ tool }, () => 1)
  await one.close()
  expect(taken.map(({ tool_name }) => tool_name)).toEqual(['a', 'a', 'b', 'b', 'c', 'c', 'd', 'd'])
  expect(one.status().lostEvents).toBe(2)
  expect(kinds(one)).toContain('events_refused')
})

/** Every file this guard will spool into is the device that is always full. */
function fillDisk(stateDir: string): void {
  const [own = ''] = readdirSync(join(stateDir, 'spool'))
  for (let number = 1; number < 30; number += 1) {
    symlinkSync('/dev/full', join(stateDir, 'spool', own, `${String(number).padStart(9, '0')}.jsonl`))
  }
}

test('with a full disk nothing that changes something is run; what only reads is', async () => {
  const stateDir = await temporaryFolder()
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: strict }))
  const one = await start(server, { stateDir })
  fillDisk(stateDir)
  const execute = vi.fn(() => 1)
  await expect(one.run({ tool: 'send_mail' }, execute)).rejects.toMatchObject({ code: 'not_recorded' })
  await expect(one.run({ tool: 'unknown_tool' }, execute)).rejects.toMatchObject({ code: 'not_recorded' })
  expect(execute).not.toHaveBeenCalled()
  await isStrict(one)
  await expect(one.run({ tool: 'read_invoice' }, execute)).resolves.toBe(1)
  expect(one.status().lostEvents).toBeGreaterThan(0)
  expect(kinds(one)).toContain('events_lost')
})

test('with a full disk calls go on where an operator said so, the rules as before, and the loss is counted', async () => {
  const stateDir = await temporaryFolder()
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: strict }))
  const one = await start(server, { stateDir, whenUnrecorded: 'continue' })
  fillDisk(stateDir)
  await expect(one.run({ tool: 'send_mail' }, () => 1)).resolves.toBe(1)
  await isStrict(one)
  expect(one.status().lostEvents).toBe(3)
})

test('a spool that is full blocks like a disk that is', async () => {
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: strict }))
  const one = await start(server, { spool: { bytesMax: 20_000 } })
  server.on('POST /v1/events', (_request, response) => server.answer(response, 503, { detail: 'busy' }))
  let calls = 0
  await expect(
    (async () => {
      for (; calls < 20; calls += 1) await one.run({ tool: 'work' }, () => 1)
    })(),
  ).rejects.toMatchObject({ code: 'not_recorded' })
  expect(calls).toBeGreaterThan(0)
})
