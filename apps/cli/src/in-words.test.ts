import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { inWords } from './in-words.ts'
import { loadRuleset } from './rules/load-ruleset.ts'

const caught = async (work: () => unknown): Promise<unknown> => {
  try {
    await work()
  } catch (cause) {
    return cause
  }
  return undefined
}

test('a file that is not there, a folder, and a file on the way are named without words of the operating system', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-words-'))
  try {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    expect(inWords(await caught(() => readFile(join(folder, 'nothing.yaml'))))).toBe(
      `There is no ${join(folder, 'nothing.yaml')}.`,
    )
    expect(inWords(await caught(() => readFileSync(join(file, 'x'))))).toContain('something on the way to it is a file')
    expect(inWords(await caught(() => readFileSync(folder)))).toContain('folder')
    expect(inWords(await caught(() => loadRuleset(folder)))).toBe(
      `${folder} is a folder. Name its files: ${join(folder, '*.yaml')}`,
    )
    expect(inWords(new Error('anything else'))).toBe('anything else')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
