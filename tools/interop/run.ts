import { execFileSync, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Operator, signIn } from './operator.ts'
import { startServer } from './server.ts'

const versions = ['0.12.1', '0.15.0', '0.16.0', '0.17.0', '0.19.0']
const here = import.meta.dirname

type Line = {
  readonly step?: string
  readonly need?: string
  readonly saw?: string
  readonly policy_version?: string
}

/** What each step must have seen: the rules' own words, or those the clients have used for limits from the first. */
const expected: Readonly<Record<string, RegExp>> = {
  allowed: /^ran: path=README\.md$/,
  blocked: /^refused: .*Reading \/app\/\.env is not allowed/,
  granted: /^ran: service=grant/,
  denied: /^refused: /,
  'timed out, block': /^refused: /,
  'timed out, allow': /^ran: service=ignore$/,
  'counted 1': /^ran: n=1$/,
  'counted 2': /^ran: n=2$/,
  'counted 3': /^refused: .*limit: 2/,
  'blocked by version 2': /^refused: .*Version 2 says no/,
  'allowed after restart': /^ran: path=README\.md$/,
  'granted after restart': /^ran: service=grant$/,
  'counted after restart': /^refused: .*limit: 2/,
  'allowed when assigned': /^ran: path=README\.md$/,
}

/** A virtual environment with that release, made once. */
function pythonWith(root: string, version: string): string {
  const environment = join(root, `py-${version}`)
  const python = join(environment, 'bin', 'python')
  const isThere = (): boolean => {
    try {
      const found = execFileSync(python, ['-c', 'import importlib.metadata as m; print(m.version("edictum"))'])
      return found.toString().trim() === version
    } catch {
      return false
    }
  }
  if (isThere()) return python
  execFileSync('python3', ['-m', 'venv', environment])
  execFileSync(python, ['-m', 'pip', 'install', '--quiet', `edictum[server,yaml,verified]==${version}`], {
    stdio: 'inherit',
  })
  return python
}

async function tryVersion(root: string, version: string): Promise<number> {
  const python = pythonWith(root, version)
  const operator = await signIn(server.url, server.administrator)
  const yaml = await readFile(join(here, 'base.yaml'), 'utf8')
  const extra = (n: number): string =>
    `${yaml}  - id: version-${n}\n    type: pre\n    tool: read_file\n    when:\n      args.path: { contains: secret }\n    then:\n      action: block\n      message: Version ${n} says no.\n`
  const agent = `python-${version}`
  // 0.17 asks on the old paths and reads only the new words: its keys have to say so (agent-api §4.4).
  const key = await operator.newKey(version.startsWith('0.17.') ? 'ruleset' : 'auto')
  let hashes = await operator.rollOut(`# for ${agent}\n${yaml}`)
  const publicKey = await operator.publicKey(key)
  const wrong: string[] = []
  const seen: string[] = []

  const facts = { url: server.url, key, agent, public_key: publicKey }
  const child = spawn(python, [join(here, 'scenario.py'), JSON.stringify(facts)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const deciding = operator.keepDeciding()
  try {
    for await (const text of createInterface({ input: child.stdout })) {
      const line = JSON.parse(text) as Line
      if (line.need !== undefined) {
        if (line.need === 'restart') await server.restart()
        if (line.need === 'version 2') hashes = await operator.rollOut(`# for ${agent}\n${extra(2)}`)
        if (line.need === 'version 3') hashes = await operator.rollOut(`# for ${agent}\n${extra(3)}`)
        if (line.need === 'assignment') await operator.assign(`${agent}-assigned`, 'base')
        child.stdin.write('done\n')
        continue
      }
      const step = line.step ?? ''
      seen.push(step)
      const isRight =
        line.policy_version === undefined
          ? (expected[step]?.test(line.saw ?? '') ?? true)
          : hashes.has(line.policy_version)
      if (!isRight) wrong.push(`${step}: ${line.saw ?? line.policy_version}`)
    }
  } finally {
    await deciding.stop()
    child.kill()
  }
  if (seen.at(-1) !== 'end') wrong.push(`stopped after "${seen.at(-1) ?? 'nothing'}"`)
  wrong.push(...(await compare(operator, agent)))
  report(version, seen.length, wrong)
  return wrong.length
}

const outcomes: Readonly<Record<string, string | undefined>> = { approved: 'succeeded', denied: 'blocked' }

/** What the server kept of it must be what the agent did. */
async function compare(operator: Operator, agent: string): Promise<readonly string[]> {
  const wrong: string[] = []
  const need = (holds: boolean, what: string): void => {
    if (!holds) wrong.push(what)
  }
  const counts = await operator.eventCounts(agent)
  const has = (verdict: string, least: number): void =>
    need((counts.get(verdict) ?? 0) >= least, `only ${counts.get(verdict) ?? 0} events ${verdict}, not ${least}`)
  has('call_executed', 7)
  has('call_blocked', 4)
  has('call_asked', 5)
  has('call_approval_granted', 2)
  has('call_approval_blocked', 1)
  has('call_approval_timeout', 2)
  const approvals = await operator.approvals(agent)
  const of = (status: string): number => approvals.filter((one) => one.status === status).length
  need(of('approved') === 2 && of('denied') === 1 && of('timed_out') === 2, `approvals ${JSON.stringify(approvals)}`)
  need(!JSON.stringify(approvals).includes('never-shown'), 'a secret argument was stored')
  for (const one of approvals) {
    const { fate, why } = await operator.approval(one.id)
    const outcome = outcomes[one.status]
    if (outcome !== undefined) need(fate.outcome === outcome, `fate of ${one.status}: ${JSON.stringify(fate)}`)
    need(why.source === 'derived' && why.rules.length === 1, `why: ${JSON.stringify(why)}`)
  }
  return wrong
}

function report(version: string, steps: number, wrong: readonly string[]): void {
  process.stdout.write(`edictum ${version}: ${steps} steps, ${wrong.length === 0 ? 'all right' : 'WRONG'}\n`)
  for (const one of wrong) process.stdout.write(`  ${one}\n`)
}

const [folder, ...asked] = process.argv.slice(2)
if (folder === undefined) {
  process.stderr.write('usage: npx node tools/interop/run.ts FOLDER [VERSION …]\n')
  process.exit(2)
}
await mkdir(folder, { recursive: true })
// A new one each time: what an earlier run left would be counted too.
const data = await mkdtemp(join(folder, 'data-'))
const server = await startServer(data)
let failures = 0
try {
  for (const version of asked.length > 0 ? asked : versions) failures += await tryVersion(folder, version)
} finally {
  await server.stop()
  await rm(data, { recursive: true, force: true })
}
process.stdout.write(
  failures === 0 ? 'Every step of every version went as it must.\n' : `${failures} steps went wrong.\n`,
)
process.exitCode = failures === 0 ? 0 : 1
