import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { noSecrets, rulesetFile, rulesetOf, temporaryFolder } from '../test/rulesets.ts'
import { type GuardProblem, guard } from './index.ts'

const patience = { timeout: 15_000, interval: 25 }
const flow = (stages: string, name = 'flow'): string =>
  `apiVersion: edictum/v1\nkind: Workflow\nmetadata: {name: ${name}}\nstages:\n${stages}`
const readsOnly = flow(`  - {id: look, tools: [Read]}\n`)
const readsAndRuns = flow(`  - {id: look, tools: [Read, Bash]}\n`)

async function guardOf(text: string) {
  const file = join(await temporaryFolder(), 'flow.yaml')
  await writeFile(file, text)
  const problems: GuardProblem[] = []
  const one = await guard({
    file: await rulesetFile(rulesetOf('test', noSecrets)),
    workflow: { file },
    onProblem: (problem) => problems.push(problem),
  })
  onTestFinished(() => one.close())
  const runs = (): Promise<boolean> =>
    one
      .run({ tool: 'Bash', args: { command: 'make' } }, () => 'ok')
      .then(
        () => true,
        () => false,
      )
  const waitFor = (wanted: boolean): Promise<void> =>
    vi.waitFor(async () => expect(await runs()).toBe(wanted), patience)
  const problem = (words: string): Promise<void> =>
    vi.waitFor(() => expect(problems.map(({ message }) => message).join()).toContain(words), patience)
  return { ...one, file, problems, runs, waitFor, problem }
}

test('an edit of the workflow takes effect in a guard that runs', async () => {
  const { file, waitFor, problems, status } = await guardOf(readsOnly)
  await waitFor(false)
  await writeFile(file, readsAndRuns)
  await waitFor(true)
  await writeFile(file, readsOnly)
  await waitFor(false)
  expect(problems).toEqual([])
  expect(status().isConnected).toBe(true)
})

test('an edit that does not load is told once with its line, the gates stay as they were, and the next good edit is taken', async () => {
  const { file, waitFor, problem, problems, runs, status } = await guardOf(readsOnly)
  await writeFile(file, readsAndRuns.replace('tools:', 'toools:'))
  await problem('The workflow does not load: line')
  expect(problems).toMatchObject([{ kind: 'workflow_refused' }])
  expect(problems[0]?.message).toContain('What was enforced stays: flow')
  expect(await runs()).toBe(false)
  expect(status().isConnected).toBe(false)
  await writeFile(file, readsAndRuns)
  await waitFor(true)
  expect(status().isConnected).toBe(true)
  expect(problems).toHaveLength(1)
})

test('a document under another name, or none at all, is no edit: the gates stay', async () => {
  const { file, problem, runs } = await guardOf(readsOnly)
  await writeFile(file, readsAndRuns.replace('name: flow', 'name: other'))
  await problem('Keep the name flow')
  expect(await runs()).toBe(false)
  await rm(file)
  await problem('no such file')
  expect(await runs()).toBe(false)
})

test('a session whose stage was taken out is blocked until it is sent to another', async () => {
  const { file, waitFor, runs, workflow } = await guardOf(readsAndRuns)
  expect(await runs()).toBe(true)
  await workflow?.setStage('look')
  await writeFile(file, flow(`  - {id: other, tools: [Bash]}\n`))
  await waitFor(false)
  await workflow?.setStage('other')
  expect(await runs()).toBe(true)
})
