import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Checkpoint, checkpointText, NotANote, noteText, readCheckpoint, readNote } from './checkpoint.ts'
import { type NoteSigner, openNote, signNote, verifierOf } from './note-key.ts'
import { emptyRoot } from './tree.ts'
import { readVerifier, verifierText } from './verifier-key.ts'

const checkpoint: Checkpoint = {
  origin: 'countersign.example.com/trail',
  size: 20_852_163,
  root: emptyRoot,
  extensions: [],
}
const signer: NoteSigner = { name: 'countersign.example.com/trail', seed: new Uint8Array(32).fill(7) }

// The example key and note of Go's golang.org/x/mod/sumdb/note, which the specification took over.
const peter = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'
const petersNote =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n" +
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n'

test('a note signed by another implementation opens with its key', () => {
  expect(openNote(petersNote, readVerifier(peter))).toBe(petersNote.slice(0, petersNote.indexOf('\n\n') + 1))
  expect(verifierText(readVerifier(peter))).toBe(peter)
})

test('the text of a checkpoint is that of the specification', () => {
  expect(checkpointText(checkpoint)).toBe(
    'countersign.example.com/trail\n20852163\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n',
  )
})

const line = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !/[\u0000-\u001f]/.test(text))
const anyCheckpoint = fc.record({
  origin: line,
  size: fc.maxSafeNat(),
  root: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  extensions: fc.array(line, { maxLength: 3 }),
})

test('a checkpoint reads back as it was written, also from its signed note', () => {
  fc.assert(
    fc.property(anyCheckpoint, (given) => {
      const text = checkpointText(given)
      const note = signNote(text, signer)
      expect(readCheckpoint(text)).toEqual(given)
      expect(openNote(note, verifierOf(signer))).toBe(text)
      expect(noteText(readNote(note))).toBe(note)
    }),
  )
})

test('any changed character of a signed checkpoint is found', () => {
  const note = signNote(checkpointText({ ...checkpoint, extensions: ['more'] }), signer)
  const verifier = verifierOf(signer)
  for (let i = 0; i < note.length; i++) {
    for (const other of ['A', '\n', ' ', '']) {
      const changed = note.slice(0, i) + other + note.slice(i + 1)
      if (changed !== note) expect(() => openNote(changed, verifier), `at ${i}`).toThrow(NotANote)
    }
  }
})

test('another key, or the same key under another name, opens nothing', () => {
  const note = signNote(checkpointText(checkpoint), signer)
  expect(() => openNote(note, verifierOf({ ...signer, seed: new Uint8Array(32) }))).toThrow('bears no signature')
  expect(() => openNote(note, { ...verifierOf(signer), name: 'other' })).toThrow('bears no signature')
  expect(() => readVerifier(peter.replace('PeterNeumann', 'Mallory'))).toThrow('copied wrongly, or renamed')
})

test('a witness’s signature beside ours does no harm, and its alone is not enough', () => {
  const text = checkpointText(checkpoint)
  const ours = readNote(signNote(text, signer))
  const witness = readNote(signNote(text, { name: 'witness', seed: new Uint8Array(32).fill(9) }))
  const both = noteText({ text, signatures: [...witness.signatures, ...ours.signatures] })
  expect(openNote(both, verifierOf(signer))).toBe(text)
  expect(() => openNote(noteText(witness), verifierOf(signer))).toThrow('bears no signature')
})

test('what is no checkpoint is refused', () => {
  const good = checkpointText(checkpoint)
  for (const text of [
    '',
    '\n',
    good.trimEnd(),
    good.replace('20852163', '020852163'),
    good.replace('20852163', '-1'),
    good.replace('20852163', '9007199254740993'),
    good.replace('47DE', '47D'),
    good.replace('FU=', 'FU'),
    good.replace('FU=', 'FV='),
    `${good}\n`,
    `\n${good}`,
    good.replace('\n', '\r\n'),
  ]) {
    expect(() => readCheckpoint(text), JSON.stringify(text)).toThrow(NotANote)
  }
  expect(() => checkpointText({ ...checkpoint, origin: 'a\nb' })).toThrow(NotANote)
  expect(() => checkpointText({ ...checkpoint, extensions: [''] })).toThrow(NotANote)
})

test('whatever the text, reading gives a note or NotANote', () => {
  const pieces = fc.array(
    fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\n', '\n\n', '— ', 'name ', 'AAAAAAAA', '12')),
    { maxLength: 20 },
  )
  fc.assert(
    fc.property(pieces, (given) => {
      for (const read of [readNote, readCheckpoint, readVerifier]) {
        try {
          read(given.join(''))
        } catch (cause) {
          expect(cause).toBeInstanceOf(NotANote)
        }
      }
    }),
  )
})
