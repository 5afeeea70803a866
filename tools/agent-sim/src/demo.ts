import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Inhabitant, live, remember } from './live.ts'
import { Operator } from './operator.ts'
import { SimAgent } from './sim-agent.ts'
import { residents } from './world.ts'

// A server with a believable world, made through the public wires only. Every start makes keys anew and revokes those
// of the start before; rulesets, events and the trail stay in the folder.

const root = fileURLToPath(new URL('../../../', import.meta.url))
const port = process.env['COUNTERSIGN_PORT'] ?? '8000'
const url = `http://localhost:${port}`
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
    COUNTERSIGN_DATA_DIR: process.env['COUNTERSIGN_DATA_DIR'] ?? './data/demo',
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
const inhabitants = await moveIn(operator)
if (isNew) {
  say('Reporting what the agents did since yesterday …')
  for (const [seed, inhabitant] of inhabitants.entries()) await remember(inhabitant, 24, seed + 1)
  // One agent's watch is dead, so this is what drift looks like.
  await rollOut(operator, 'payments-guard', 2, 'production', 'Limit from the audit: 100 euros')
}
say('')
say(`The demo is at ${url}`)
say(`  sign in as   ${email}`)
say(`  password     ${password}`)
say('Agents are working; calls they may not make alone wait under Approvals. Stop with Ctrl-C.')
await Promise.all(inhabitants.map((inhabitant, seed) => live(inhabitant, 1000 + seed, stopping.signal)))
await Promise.allSettled(inhabitants.map(({ agent }) => agent.stop()))

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

/** Gives every environment a key of this start and connects the agents. */
async function moveIn(person: Operator): Promise<Inhabitant[]> {
  const { items } = await person.call<{ items: readonly { id: string; label: string }[] }>('GET', '/keys')
  for (const key of items) if (key.label === label) await person.call('POST', `/keys/${key.id}/revoke`)
  const keys = new Map<string, string>()
  for (const environment of ['production', 'staging']) {
    const { key } = await person.call<{ key: string }>('POST', '/keys', { environment, label })
    keys.set(environment, key)
  }
  const inhabitants = residents.map((resident) => {
    const { agentId, environment, dialect, ruleset, tags, isDeaf, principal } = resident
    const agent = new SimAgent({
      url,
      key: keys.get(environment) ?? '',
      agentId,
      environment,
      dialect,
      principal,
      ...(ruleset !== undefined && { ruleset }),
      ...(tags && { tags }),
      ...(isDeaf === true && { isDeaf }),
    })
    return { resident, agent }
  })
  await Promise.all(inhabitants.map(({ agent }) => agent.start()))
  return inhabitants
}
