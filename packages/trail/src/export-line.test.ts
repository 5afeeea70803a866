import fc from 'fast-check'
import { expect, test } from 'vitest'
import { entryBytes } from './entry.ts'
import { type ExportLine, exportLine, NotAnExport, readExportLine } from './export-line.ts'
import { leafHash } from './tree.ts'

const bytes = entryBytes({
  v: 1,
  id: '0190f5a0-0000-7000-8000-000000000001',
  at: '2026-02-28T10:00:00.123Z',
  tenant: 't1',
  act: 'key.created',
  outcome: 'done',
  actor: { kind: 'person', id: 'p1' },
  subject: { kind: 'key', id: 'ü' },
  request: {},
  // The text that ends a line, inside an entry.
  details: { trap: `,"leaf":"${'0'.repeat(64)}","number":7}`, name: '{"entry":' },
})
const hash = leafHash(bytes)
const lines: readonly ExportLine[] = [
  { is: 'log', from: { size: 0, peaks: [] } },
  { is: 'log', from: { size: 3, peaks: [hash, hash] } },
  { is: 'entry', entry: { number: 0, bytes, leafHash: hash } },
  { is: 'entry', entry: { number: 9_007_199_254_740_991, bytes, leafHash: hash } },
  { is: 'entry', entry: { number: 12, bytes: null, leafHash: hash } },
  { is: 'head', head: { size: 13, root: hash } },
]

const textOf = (line: Uint8Array): string => Buffer.from(line).toString('latin1')

test('a line reads back as it was written, the bytes of its entry exactly', () => {
  for (const line of lines) {
    const read = readExportLine(exportLine(line))
    expect(read.is).toBe(line.is)
    expect(textOf(exportLine(read))).toBe(textOf(exportLine(line)))
  }
  const read = readExportLine(exportLine(lines[2] ?? never()))
  if (read.is !== 'entry' || read.entry.bytes === null) throw new Error('an entry line reads as an entry')
  expect(textOf(read.entry.bytes)).toBe(textOf(bytes))
  expect(read.entry.number).toBe(0)
})

test('every line is one JSON object of its own', () => {
  for (const line of lines) {
    const text = Buffer.from(exportLine(line)).toString()
    expect(text).not.toContain('\n')
    expect(JSON.parse(text)).toBeTypeOf('object')
  }
})

test('whatever byte of a line is changed, it is refused or reads as something else', () => {
  for (const line of lines) {
    const good = exportLine(line)
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (place, flip) => {
        const changed = new Uint8Array(good)
        changed[place] = (changed[place] ?? 0) ^ flip
        try {
          // Nothing of a line is ignored: what was read writes the changed bytes again.
          expect(textOf(exportLine(readExportLine(changed)))).toBe(textOf(changed))
        } catch (cause) {
          expect(cause).toBeInstanceOf(NotAnExport)
        }
      }),
    )
  }
})

test('whatever the bytes, reading gives a line or NotAnExport', () => {
  const start = new TextEncoder().encode('{"entry":')
  fc.assert(
    fc.property(fc.boolean(), fc.uint8Array({ maxLength: 300 }), (isEntry, noise) => {
      try {
        readExportLine(isEntry ? Buffer.concat([start, noise]) : noise)
      } catch (cause) {
        expect(cause).toBeInstanceOf(NotAnExport)
      }
    }),
  )
})

function never(): never {
  throw new Error('unreachable')
}
