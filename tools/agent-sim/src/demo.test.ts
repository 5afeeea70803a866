import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { freePort } from '../../../apps/server/test/free-port.ts'
import { Operator } from './operator.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
let folder: string
let demo: ReturnType<typeof start>
let operator: Operator
let url: string

function start(script: string, environment: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script], {
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const hear = (chunk: Buffer): void => {
    output += chunk.toString()
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  return { child, output: () => output, ended: once(child, 'close') }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-demo-'))
  // The database's own user must get through to its files.
  await chmod(folder, 0o711)
  const port = await freePort()
  url = `http://localhost:${port}`
  demo = start('tools/agent-sim/src/demo.ts', {
    COUNTERSIGN_PORT: String(port),
    COUNTERSIGN_DATA_DIR: join(folder, 'data'),
    DEMO_PAST_HOURS: '1',
  })
  await vi.waitFor(() => expect(demo.output()).toContain('Agents are working'), { timeout: 110_000, interval: 100 })
  operator = new Operator(url)
  await operator.signIn('demo@example.com', 'countersign demo')
}, 120_000)
afterAll(async () => {
  demo.child.kill('SIGTERM')
  await demo.ended
  await rm(folder, { recursive: true, force: true })
})

type Agent = { readonly agent_id: string; readonly is_connected: boolean; readonly status: string }
const agents = async (): Promise<readonly Agent[]> =>
  (await operator.call<{ items: readonly Agent[] }>('GET', '/agents')).items

test('nine agents of two generations are connected, one of them drifting, and calls are allowed, blocked and held', async () => {
  await vi.waitFor(async () => expect((await agents()).filter((one) => one.is_connected)).toHaveLength(9), 20_000)
  await vi.waitFor(
    async () => {
      const running = Object.fromEntries((await agents()).map(({ agent_id, status }) => [agent_id, status]))
      expect(running['refund-agent-eu']).toBe('current')
      expect(['drift', 'updating']).toContain(running['reconcile-agent'])
    },
    { timeout: 20_000, interval: 250 },
  )
  for (const verdict of ['call_allowed', 'call_executed', 'call_blocked', 'call_asked']) {
    const { items } = await operator.call<{ items: readonly object[] }>('GET', `/events?verdict=${verdict}&limit=1`)
    expect(items, verdict).toHaveLength(1)
  }
})

test('each example runs against the demo: one call allowed, one blocked, one held for a person', async () => {
  const { key } = await operator.call<{ key: string }>('POST', '/keys', {
    environment: 'production',
    label: 'examples',
  })
  const environment = { COUNTERSIGN_URL: url, COUNTERSIGN_KEY: key }
  const approving = (async () => {
    for (;;) {
      const { items } = await operator.call<{ items: readonly { id: string; agent_id: string }[] }>(
        'GET',
        '/approvals?status=pending&limit=100',
      )
      const ours = items.find(({ agent_id }) => agent_id === 'example-three-lines')
      if (ours) return operator.call('POST', `/approvals/${ours.id}/decision`, { approve: true, reason: 'fine' })
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  })()
  const examples = ['three-lines', 'ai-sdk', 'mcp', 'workflow', 'openai-agents', 'langchain'].map((name) =>
    start(`examples/src/${name}.ts`, environment),
  )
  const codes = await Promise.all(examples.map(({ ended }) => ended))
  await approving
  const [three = '', ai = '', mcp = '', workflow = '', openai = '', langchain = ''] = examples.map(({ output }) =>
    output(),
  )
  expect(three).toBe(`a refund within the limit: "refunded 4500 cents"
a statement that changes the ledger: blocked by no-ledger-writes. The ledger is read-only for agents: update invoices set status = 'void'
a refund above the limit: "refunded 45000 cents"
`)
  for (const told of [ai, openai, langchain]) {
    expect(told).toContain('12900')
    expect(told).toContain('The ledger is read-only for agents')
  }
  expect(mcp).toContain('run_sql done')
  expect(mcp).toContain('a change of the ledger: blocked by no-ledger-writes')
  expect(
    workflow,
  ).toBe(`a refund before the policy was read: blocked by prepare. Read refund-policy.md before you refund anything.
reading the policy: "Refund within 30 days."
the same refund: "refunded"
the session stands at: refund
`)
  expect(codes.map(([code]: unknown[]) => code)).toEqual([0, 0, 0, 0, 0, 0])
})

test('the demo ends when it is told to, and nothing it started stays', async () => {
  demo.child.kill('SIGTERM')
  const [code] = (await demo.ended) as [number | null]
  expect(code).toBe(0)
  expect(existsSync(join(folder, 'data/postgres-18/data/PG_VERSION'))).toBe(true)
  expect(existsSync(join(folder, 'data/postgres-18/data/postmaster.pid'))).toBe(false)
})
