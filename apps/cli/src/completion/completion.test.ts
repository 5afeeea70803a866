import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeProgram } from '../program.ts'
import { verbsOf } from './verbs.ts'

let folder: string
const scripts = new Map<string, string>()

const printed = { text: '' }
const program = () =>
  makeProgram({
    env: {},
    print: (text) => void (printed.text += text),
    complain: () => undefined,
    exitWith: () => undefined,
    fail: () => undefined,
  })

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-completion-'))
  for (const shell of ['bash', 'zsh', 'fish']) {
    printed.text = ''
    await program().parseAsync(['completion', shell], { from: 'user' })
    const file = join(folder, shell)
    writeFileSync(file, printed.text)
    scripts.set(shell, file)
  }
})
afterAll(() => {
  rmSync(folder, { recursive: true })
})

/** What bash itself offers for the last of these words. */
function offered(...words: readonly string[]): readonly string[] {
  const line = ['countersign', ...words]
  const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _countersign; printf '%s\\n' "\${COMPREPLY[@]}"`
  const out = execFileSync('bash', ['-c', script, 'bash', scripts.get('bash') ?? '', ...line], {
    cwd: folder,
    encoding: 'utf8',
  })
  return out.split('\n').filter((one) => one !== '')
}

describe('in bash', () => {
  test('every verb and option of every command is offered where it belongs, and nothing of another', () => {
    for (const { path, verbs, options } of verbsOf(program())) {
      const words = offered(...path, '')
      const flags = offered(...path, '--')
      for (const verb of verbs) expect.soft(words, path.join(' ')).toContain(verb)
      expect.soft(flags.toSorted(), path.join(' ')).toEqual([...new Set(options.map(({ flag }) => flag))].toSorted())
    }
  })

  test('what was begun is finished, after options and arguments too', () => {
    expect(offered('tok')).toEqual(['token'])
    expect(offered('token', 'cr')).toEqual(['create'])
    expect(offered('token', 'create', 'my-ci', '--ro')).toEqual(['--role'])
    expect(offered('approve', '0198', '--re')).toEqual(['--reason'])
    expect(offered('completion', '')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']))
  })

  test('after an option that takes a value files are offered, not verbs', () => {
    expect(offered('rules', 'check', '--format', '')).toEqual(expect.arrayContaining(['bash', 'fish', 'zsh']))
  })
})

describe.each(['zsh', 'fish'])('in %s', (shell) => {
  const isThere = spawnSync(shell, ['--version']).status === 0

  test.runIf(isThere)('the script is one that the shell can read', () => {
    expect(spawnSync(shell, ['-n', scripts.get(shell) ?? '']).status).toBe(0)
  })
})
