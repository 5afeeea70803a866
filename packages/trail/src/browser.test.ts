import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { openNoteHere } from './browser.ts'
import { checkpointText } from './checkpoint.ts'
import { openNote, signNote, verifierOf } from './note-key.ts'

const signer = { name: 'log.example.com/trail', seed: new Uint8Array(32).fill(7) }
const note = signNote(
  checkpointText({ origin: signer.name, size: 3, root: new Uint8Array(32), extensions: [] }),
  signer,
)

test('a browser opens what the server signed, and refuses what was changed or signed by another', async () => {
  expect(await openNoteHere(note, verifierOf(signer))).toBe(openNote(note, verifierOf(signer)))
  await expect(openNoteHere(note.replace('\n3\n', '\n4\n'), verifierOf(signer))).rejects.toThrow('not one of this text')
  const stranger = { ...signer, seed: new Uint8Array(32).fill(8) }
  await expect(openNoteHere(note, verifierOf(stranger))).rejects.toThrow('bears no signature')
})

test('nothing that runs in a browser reaches for Node', () => {
  const seen = new Set<string>()
  const visit = (file: string): void => {
    if (seen.has(file)) return
    seen.add(file)
    const text = readFileSync(file, 'utf8')
    expect(text, file).not.toMatch(/'node:|\bBuffer\b\./)
    for (const [, from = ''] of text.matchAll(/from '([^']+)'/g)) {
      visit(from === '#sha256' ? join(import.meta.dirname, 'sha256-plain.ts') : join(dirname(file), from))
    }
  }
  visit(join(import.meta.dirname, 'browser.ts'))
  expect(seen.size).toBeGreaterThan(7)
})
