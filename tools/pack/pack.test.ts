import { spawn, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeSigner, pretendServer, servedBy } from '../../packages/agent/test/pretend-server.ts'
import { noSecrets, rulesetOf } from '../../packages/agent/test/rulesets.ts'
import { pack } from './pack.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'countersign-packed-'))
const project = join(folder, 'project')

/** Every Node on this machine, by its major version: the pinned one, and whatever started npm. */
function findNodes(): ReadonlyMap<string, string> {
  const found = new Map([[process.versions.node.split('.')[0] ?? '', process.execPath]])
  for (const path of [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/usr/local/bin']) {
    const file = join(path, 'node')
    if (!existsSync(file) || path.includes('node_modules')) continue
    const major = /^v(\d+)\./.exec(spawnSync(file, ['--version'], { encoding: 'utf8' }).stdout)?.[1]
    if (major !== undefined && !found.has(major)) found.set(major, realpathSync(file))
  }
  return found
}
const nodes = findNodes()

beforeAll(() => {
  const tarballs = pack(join(folder, 'tarballs'))
  const files = Object.fromEntries(
    tarballs.map((file) => [`@countersign/${basename(file).split('-')[1] ?? ''}`, `file:${file}`]),
  )
  // What they depend on is on this machine already; a test needs no registry.
  const others = Object.fromEntries(['re2js', 'yaml'].map((name) => [name, `file:${join(root, 'node_modules', name)}`]))
  const manifest = { name: 'empty', private: true, type: 'module', dependencies: { ...files, ...others } }
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest))
  const install = ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--silent']
  const { status, stderr, stdout } = spawnSync('npm', install, { cwd: project, encoding: 'utf8' })
  if (status !== 0) throw new Error(`npm install: ${stdout}${stderr}`)
}, 120_000)
afterAll(() => {
  rmSync(folder, { recursive: true })
})

function runOn(node: string, script: string, args: readonly string[] = []) {
  const file = join(project, 'agent.js')
  writeFileSync(file, script)
  return spawnSync(node, [file, ...args], { cwd: project, encoding: 'utf8', timeout: 30_000 })
}

const threeLines = (options: string): string => `
import { guard } from '@countersign/agent'
const g = await guard(${options})
const read = (path) => g.run({ tool: 'read_file', args: { path } }, (args) => 'text of ' + args.path)
console.log(await read('README.md'))
console.log(await read('.env').catch((blocked) => blocked.name + ' ' + blocked.rule + ': ' + blocked.message))
await g.close()
`
const expected = 'text of README.md\nCallBlocked no-secrets: Secrets stay where they are: .env\n'

test('the packed packages hold code, types and the licence, and nothing of the workspace', () => {
  for (const name of ['rules', 'pipeline', 'agent']) {
    const installed = join(project, 'node_modules/@countersign', name)
    expect(readdirSync(installed).sort()).toEqual(['LICENSE', 'README.md', 'dist', 'package.json'])
    const files = readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' })
    expect(files.filter((file) => /\.ts$/.test(file) && !/\.d\.ts$/.test(file))).toEqual([])
    expect(files.filter((file) => /\.test\./.test(file))).toEqual([])
    expect(readFileSync(join(installed, 'package.json'), 'utf8')).not.toContain('"*"')
  }
})

for (const major of ['20', '24']) {
  const node = nodes.get(major)

  test.skipIf(node === undefined)(`the three lines run on Node ${major}, from a file`, () => {
    writeFileSync(join(project, 'rules.yaml'), rulesetOf('base', noSecrets))
    const { stdout, stderr } = runOn(node ?? '', threeLines(`{ file: 'rules.yaml' }`))
    expect(stderr).toBe('')
    expect(stdout).toBe(expected)
  })

  test.skipIf(node === undefined)(`the three lines run on Node ${major}, from a server`, async () => {
    const server = await pretendServer()
    server.greetWith(servedBy(makeSigner(), { name: 'base', yaml: rulesetOf('base', noSecrets) }))
    const options = {
      url: server.url,
      key: `edk_production_${'k'.repeat(43)}`,
      agentId: 'a1',
      stateDir: join(folder, `state-${major}`),
    }
    const file = join(project, 'from-server.js')
    writeFileSync(file, threeLines(JSON.stringify(options)))
    const child = spawn(node ?? '', [file], { cwd: project, stdio: ['ignore', 'pipe', 'inherit'] })
    let stdout = ''
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
    })
    const code = await new Promise((resolve) => child.once('close', resolve))
    expect(stdout).toBe(expected)
    expect(code).toBe(0)
    expect(server.events.map(({ action }) => action)).toEqual(['call_allowed', 'call_executed', 'call_blocked'])
  })
}

test('the types are whole: a strict program without any help of ours compiles against them', () => {
  writeFileSync(
    join(project, 'agent.ts'),
    `import { ApprovalDenied, CallBlocked, guard, type Guard, type GuardProblem } from '@countersign/agent'
import { guardTools } from '@countersign/agent/ai-sdk'
import { guardClient } from '@countersign/agent/mcp'
const problems: GuardProblem[] = []
const g: Guard = await guard({ file: 'rules.yaml', principal: { role: 'reader' }, onProblem: (one) => problems.push(one) })
export const length: number = await g.run({ tool: 't', args: { a: 1 } }, () => 'text').then((text) => text.length)
export const read: (args: { path: string }) => Promise<number> = g.wrap('read', ({ path }: { path: string }) => path.length)
export const isBlocked = (cause: unknown): boolean => cause instanceof CallBlocked && !(cause instanceof ApprovalDenied)
export const tools = guardTools(g, { add: { execute: async ({ a }: { a: number }) => a + 1 } })
export const sum: Promise<number> = tools.add.execute({ a: 1 })
export const make = (client: Parameters<typeof guardClient>[1]) => guardClient(g, client)
// @ts-expect-error a guard needs a file, or a server
await guard({ agentId: 'a1' })
`,
  )
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node']
  const types = ['--typeRoots', join(root, 'node_modules/@types'), 'agent.ts']
  const { stdout, status } = spawnSync(join(root, 'node_modules/.bin/tsc'), [...options, ...types], {
    cwd: project,
    encoding: 'utf8',
  })
  expect(stdout).toBe('')
  expect(status).toBe(0)
})
