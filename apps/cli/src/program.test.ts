import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { makeProgram } from './program.ts'

const program = makeProgram({
  env: {},
  print: () => undefined,
  complain: () => undefined,
  fail: () => undefined,
  exitWith: () => undefined,
})

type Named = { readonly name: string; readonly command: Command; readonly help: string }

function below(command: Command, name: string): readonly Named[] {
  return command.commands.flatMap((one) => {
    const full = `${name} ${one.name()}`
    return [{ name: full, command: one, help: helpOf(one) }, ...below(one, full)]
  })
}

function helpOf(command: Command): string {
  let help = ''
  command.configureOutput({ writeOut: (text) => (help += text) })
  command.outputHelp()
  return help
}

const all = below(program, 'countersign')

/** The lines below a heading, up to the next empty one. */
function section(help: string, heading: RegExp): readonly string[] {
  const [, rest] = help.split(heading)
  return (rest ?? '').split('\n\n')[0]?.trim().split('\n') ?? []
}

test('every command tells its exit codes and gives an example', () => {
  expect(all.length).toBeGreaterThan(40)
  const lacking = all.filter(
    ({ help }) =>
      section(help, /^Exit code$/m)
        .join(' ')
        .match(/\b\d /g) === null || !section(help, /^Examples?$/m).some((line) => line.includes('countersign ')),
  )
  expect(lacking.map(({ name }) => name)).toEqual([])
})

test('every example names commands and options that there are', () => {
  const lines = [program, ...all.map(({ command }) => command)].flatMap((command) =>
    section(helpOf(command), /^(?:Examples?|Where to begin)$/m),
  )
  const calls = lines.flatMap((line) =>
    [...line.matchAll(/\bcountersign (.*?)(?: {3}.*| [|>&].*|\)?)$/g)].map(([, words = '']) => words),
  )
  expect(calls.length).toBeGreaterThan(60)
  for (const call of calls) {
    const words = call.split(/\s+/)
    let command = program
    for (const word of words) {
      const next = command.commands.find((one) => one.name() === word)
      if (!next) break
      command = next
    }
    expect(command, call).not.toBe(program)
    expect(
      command.commands.length === 0 || words.includes('--help'),
      `${call} names a command that does something`,
    ).toBe(true)
    const known = new Set(['--help', ...command.options.flatMap(({ long }) => long ?? [])])
    const used = words.filter((word) => /^--[a-z]/.test(word)).map((word) => word.split('=')[0] ?? '')
    expect(
      used.filter((option) => !known.has(option)),
      call,
    ).toEqual([])
  }
})

test('the release it prints is the server’s', async () => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../server/package.json', import.meta.url), 'utf8'))
  let printed = ''
  program.configureOutput({ writeOut: (text) => (printed += text) })
  await expect(program.parseAsync(['--version'], { from: 'user' })).rejects.toMatchObject({ exitCode: 0 })
  expect(manifest).toMatchObject({ version: printed.trim() })
})
