import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dialectD } from './dialect.ts'
import { GuardedAgent } from './guarded-agent.ts'
import { live, remember, type Worker } from './live.ts'
import { Operator } from './operator.ts'
import { SimAgent } from './sim-agent.ts'
import { type Resident, residents } from './world.ts'

// A server with a believable world, made through the public wires only. Every start makes keys anew and revokes those
// of the start before; rulesets, events and the trail stay in the folder.

const root = fileURLToPath(new URL('../../../', import.meta.url))
const port = process.env['COUNTERSIGN_PORT'] ?? '8000'
const url = `http://localhost:${port}`
const dataFolder = process.env['COUNTERSIGN_DATA_DIR'] ?? './data/demo'
/** How much of a past a new demo is given. */
const pastHours = Number(process.env['DEMO_PAST_HOURS'] ?? 24)
const email = 'demo@example.com'
const password = 'countersign demo'
const label = 'demo'
const say = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

const stopping = new AbortController()
const server = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'apps/server/src/main.ts'], {
  cwd: root,
  env: {
    ...process.env,
    COUNTERSIGN_PORT: port,
    COUNTERSIGN_DATA_DIR: dataFolder,
    COUNTERSIGN_ADMIN_EMAIL: email,
    COUNTERSIGN_ADMIN_PASSWORD: password,
    COUNTERSIGN_LOG_LEVEL: process.env['COUNTERSIGN_LOG_LEVEL'] ?? 'warn',
  },
  stdio: ['ignore', 'pipe', 'inherit'],
})
server.once('exit', (code) => {
  stopping.abort()
  process.exitCode = code ?? 1
})
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    stopping.abort()
    server.kill(signal)
  })
}

await ready()
const operator = new Operator(url)
await operator.signIn(email, password)
const isNew = await furnish(operator)
const keys = await makeKeys(operator)
const inhabitants = await Promise.all(residents.map((resident) => moveIn(resident)))
if (isNew) {
  say('Reporting what the agents did since yesterday …')
  for (const [seed, { resident, agent }] of inhabitants.entries()) await remember(resident, agent, pastHours, seed + 1)
  // One agent's watch is dead, so this is what drift looks like.
  await rollOut(operator, 'payments-guard', 2, 'production', 'Limit from the audit: 100 euros')
}
say('')
say(`The demo is at ${url}`)
say(`  sign in as   ${email}`)
say(`  password     ${password}`)
say('Agents are working; calls they may not make alone wait under Approvals. Stop with Ctrl-C.')
await Promise.all(
  inhabitants.map(async ({ resident, agent }, seed) => {
    const worker = await workerOf(resident, agent)
    await live(resident, worker, 1000 + seed, stopping.signal)
    await worker.stop().catch(() => undefined)
  }),
)

function ready(): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = ''
    server.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      process.stdout.write(chunk)
      if (output.includes('countersign ready on')) resolve()
    })
    server.once('exit', (code) => {
      reject(new Error(`the server ended with ${String(code)}`))
    })
  })
}

/** Rulesets, rollouts and assignment rules; answers whether there were none yet. */
async function furnish(person: Operator): Promise<boolean> {
  const { items } = await person.call<{ items: readonly { name: string }[] }>('GET', '/rulesets')
  if (items.length > 0) return false
  for (const [name, version] of [
    ['payments-guard', 1],
    ['payments-guard', 2],
    ['platform-baseline', 1],
    ['research-sandbox', 1],
  ] as const) {
    const yaml = await readFile(new URL(`../rulesets/${name}.${version}.yaml`, import.meta.url), 'utf8')
    await person.call('POST', '/rulesets', {
      yaml,
      note: version === 1 ? 'First version' : 'Lower limit for refunds, from the audit',
    })
  }
  await rollOut(person, 'payments-guard', 1, 'production', 'Agents go live')
  await rollOut(person, 'platform-baseline', 1, 'production', 'Agents go live')
  await rollOut(person, 'platform-baseline', 1, 'staging', 'As in production')
  await rollOut(person, 'research-sandbox', 1, 'staging', 'First trial')
  await person.call('POST', '/assignment-rules', {
    priority: 10,
    pattern: 'refund-*',
    tag_match: { team: 'billing' },
    ruleset: 'payments-guard',
    environment: 'production',
  })
  await person.call('POST', '/assignment-rules', {
    priority: 20,
    pattern: 'build-agent-*',
    tag_match: { pool: 'build' },
    ruleset: 'platform-baseline',
    environment: 'staging',
  })
  return true
}

function rollOut(person: Operator, name: string, version: number, environment: string, note: string): Promise<unknown> {
  return person.call('POST', `/rulesets/${name}/rollouts`, { version, environment, note, kind: 'rollout' })
}

/** Gives every environment a key of this start. */
async function makeKeys(person: Operator): Promise<ReadonlyMap<string, string>> {
  const { items } = await person.call<{ items: readonly { id: string; label: string }[] }>('GET', '/keys')
  for (const key of items) if (key.label === label) await person.call('POST', `/keys/${key.id}/revoke`)
  const made = new Map<string, string>()
  for (const environment of ['production', 'staging']) {
    const { key } = await person.call<{ key: string }>('POST', '/keys', { environment, label })
    made.set(environment, key)
  }
  return made
}

/** What every resident says of itself, whatever it runs on. */
function identityOf({ agentId, environment, ruleset, tags, principal }: Resident) {
  const key = keys.get(environment) ?? ''
  return { url, key, agentId, environment, principal, ...(ruleset !== undefined && { ruleset }), ...(tags && { tags }) }
}

async function moveIn(resident: Resident) {
  const { dialect, isDeaf } = resident
  const agent = new SimAgent({ ...identityOf(resident), dialect, ...(isDeaf === true && { isDeaf }) })
  await agent.start()
  return { resident, agent }
}

/** Agents of the newest generation go to work on our SDK; the others stay what they are. */
async function workerOf(resident: Resident, agent: SimAgent): Promise<Worker> {
  if (resident.dialect !== dialectD) return agent
  await agent.stop()
  const stateDir = join(resolve(root, dataFolder), 'agents', resident.agentId)
  const onProblem = ({ message }: { readonly message: string }): void => {
    if (!stopping.signal.aborted) process.stderr.write(`${resident.agentId}: ${message}\n`)
  }
  return GuardedAgent.start({ ...identityOf(resident), stateDir, onProblem })
}
