import { rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { noSecrets, rulesetFile, rulesetOf } from '../test/rulesets.ts'
import { type GuardProblem, guard } from './index.ts'

const strict = rulesetOf('test', noSecrets)
const lax = rulesetOf('test', noSecrets.replace('.env', '.never'))
const patience = { timeout: 15_000, interval: 25 }

async function guardOf(file: string) {
  const problems: GuardProblem[] = []
  const made = await guard({ file, onProblem: (problem) => problems.push(problem) })
  onTestFinished(() => made.close())
  const isStrict = async (): Promise<boolean> => {
    try {
      await made.run({ tool: 'read_file', args: { path: '.env' } }, () => 'secret')
      return false
    } catch {
      return true
    }
  }
  const waitFor = (wanted: boolean): Promise<void> =>
    vi.waitFor(async () => expect(await isStrict()).toBe(wanted), patience)
  const problem = (text: string): Promise<void> =>
    vi.waitFor(() => expect(problems.map(({ message }) => message).join()).toContain(text), patience)
  return { ...made, problems, isStrict, waitFor, problem }
}

test('an edit of the file takes effect, written in place or renamed over it', async () => {
  const file = await rulesetFile(strict)
  const { waitFor, status, problems } = await guardOf(file)
  const { revision } = status()
  await writeFile(file, lax)
  await waitFor(false)
  expect(status().revision).not.toBe(revision)
  await writeFile(`${file}.new`, strict)
  await rename(`${file}.new`, file)
  await waitFor(true)
  expect(status()).toMatchObject({ revision, isConnected: true })
  expect(problems).toEqual([])
})

test('a link that is pointed elsewhere is an edit', async () => {
  const file = await rulesetFile(strict)
  const folder = dirname(file)
  const link = join(folder, 'current.yaml')
  await writeFile(join(folder, 'lax.yaml'), lax)
  await symlink('rules.yaml', link)
  const { waitFor } = await guardOf(link)
  await symlink('lax.yaml', `${link}.new`)
  await rename(`${link}.new`, link)
  await waitFor(false)
})

test('a bad edit is told once, what was enforced stays, and the next good edit is taken', async () => {
  const file = await rulesetFile(strict)
  const { waitFor, problem, problems, status, isStrict } = await guardOf(file)
  await writeFile(file, lax.replace('action: block', 'action: blok'))
  await problem('does not load: line')
  expect(problems).toMatchObject([
    { kind: 'revision_refused', message: expect.stringContaining('What was enforced stays: test') },
  ])
  expect(await isStrict()).toBe(true)
  expect(status().isConnected).toBe(false)
  await writeFile(file, lax)
  await waitFor(false)
  expect(status().isConnected).toBe(true)
  expect(problems).toHaveLength(1)
})

test('a file that is cut half-way, at a place where it still reads as a ruleset, lifts no rule while it is written', async () => {
  const second = noSecrets.replace('no-secrets', 'no-keys').replace('.env', '.pem')
  const file = await rulesetFile(rulesetOf('test', `${second}${noSecrets}`))
  const { isStrict, waitFor, status } = await guardOf(file)
  const { revision } = status()
  // Two rules, of which the second is not written yet.
  await truncate(file, Buffer.byteLength(rulesetOf('test', second)))
  for (const until = performance.now() + 1_200; performance.now() < until; ) {
    expect(await isStrict()).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  expect(status().revision).toBe(revision)
  // Left like that it is what somebody wants.
  await waitFor(false)
})

test('a file that is emptied, removed, or replaced by something too large lifts no rule and is told; when it is back, it counts', async () => {
  const file = await rulesetFile(strict)
  const { problem, isStrict, waitFor, problems } = await guardOf(file)
  await rm(file)
  await problem('no such file')
  expect(await isStrict()).toBe(true)
  await writeFile(file, ' '.repeat(600_000))
  await problem('larger than')
  await writeFile(file, '')
  await problem('What was enforced stays')
  expect(await isStrict()).toBe(true)
  await writeFile(file, lax)
  await waitFor(false)
  expect(problems.every(({ kind }) => kind === 'revision_refused')).toBe(true)
})

test('a guard that nobody closes does not keep its process alive', async () => {
  const file = await rulesetFile(strict)
  const { spawn } = await import('node:child_process')
  const script = `import { guard } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)}
const g = await guard({ file: ${JSON.stringify(file)} })
await g.run({ tool: 'work' }, () => 1)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  const code = await new Promise((resolve) => child.once('exit', resolve))
  expect(code).toBe(0)
})
