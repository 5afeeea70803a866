import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { JsonObject } from './canonical-json.ts'
import { entryBytes, readEntry, type TrailEntry } from './entry.ts'
import { exportLine, readExportLine } from './export-line.ts'
import { macKeyId, macOf } from './mac.ts'
import { plainEntryId, readPlainLine } from './plain-entry.ts'
import { leafHash } from './tree.ts'

const entry = (more: Partial<TrailEntry> = {}): TrailEntry => ({
  v: 1,
  id: '0190f5a0-0000-7000-8000-000000000001',
  at: '2026-02-28T10:00:00.123Z',
  tenant: 't1',
  act: 'key.created',
  outcome: 'done',
  actor: { kind: 'person', id: 'p1', credential: 'session', key_id: 's1' },
  subject: { kind: 'key', id: 'k1' },
  request: { id: 'r1' },
  details: { after: { n: 1 }, before: null },
  sealed: [{ key: 'A'.repeat(43), box: 'AAAA' }],
  ...more,
})

const idByReading = (bytes: Uint8Array): string | undefined => {
  try {
    return readEntry(bytes).id
  } catch {
    return undefined
  }
}

test('a plain entry is known at once', () => {
  for (const more of [
    {},
    { tenant: null },
    { request: {} },
    { details: {} },
    { actor: { kind: 'system', id: 'x' } as const },
  ])
    expect(plainEntryId(entryBytes(entry(more)))).toBe(entry().id)
})

test('whatever it takes for an entry is one, with that id, however the bytes were changed', () => {
  const bytes = entryBytes(entry())
  const pieces = [
    '"',
    '{',
    '}',
    ',',
    ':',
    '"id":"',
    '\\',
    ' ',
    '0',
    'é',
    '","id":"0190f5a0-0000-7000-8000-000000000002"',
  ]
  fc.assert(
    fc.property(fc.nat(bytes.length), fc.nat(12), fc.constantFrom(...pieces, ''), (place, cut, piece) => {
      const text = new TextDecoder().decode(bytes)
      const changed = new TextEncoder().encode(text.slice(0, place) + piece + text.slice(place + cut))
      const quick = plainEntryId(changed)
      if (quick !== undefined) expect(quick).toBe(idByReading(changed))
    }),
    { numRuns: 3000 },
  )
})

test('details that look like the rest of an entry change nothing', () => {
  const details = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })) as fc.Arbitrary<JsonObject>
  fc.assert(
    fc.property(details, (found) => {
      let bytes: Uint8Array
      try {
        bytes = entryBytes(entry({ details: { ...found, id: { v: 1 }, subject: { id: 'x', kind: 'y' } } }))
      } catch {
        return
      }
      expect([undefined, entry().id]).toContain(plainEntryId(bytes))
      expect(idByReading(bytes)).toBe(entry().id)
    }),
  )
})

test('what readEntry refuses is not taken: order, days, lengths, depth', () => {
  const text = new TextDecoder().decode(entryBytes(entry()))
  for (const wrong of [
    text.replace('"after":{"n":1},"before":null', '"before":null,"after":{"n":1}'),
    text.replace('2026-02-28', '2026-02-30'),
    text.replace('key.created', `key.${'a'.repeat(100)}`),
    text.replace('"n":1', '"n":1.0'),
    text.replace('"n":1', '"n":1,"n":1'),
    text.replace('"n":1', `"n":${'['.repeat(70)}${']'.repeat(70)}`),
  ]) {
    const bytes = new TextEncoder().encode(wrong)
    expect([plainEntryId(bytes), idByReading(bytes)], wrong).toEqual([undefined, undefined])
  }
})

const secret = new TextEncoder().encode('a secret of the operator')
const lineOf = (number: number, hasMac: boolean, more: Partial<TrailEntry> = {}): Uint8Array => {
  const bytes = entryBytes(entry(more))
  const mac = { key: macKeyId(secret), value: macOf(secret, bytes) }
  return exportLine({ is: 'entry', entry: { number, bytes, leafHash: leafHash(bytes), ...(hasMac && { mac }) } })
}

test('a plain line of an export is read as the careful way reads it', () => {
  for (const number of [0, 7, 1_000_000, Number.MAX_SAFE_INTEGER]) {
    for (const hasMac of [false, true]) {
      const line = lineOf(number, hasMac)
      const careful = readExportLine(line)
      const plain = readPlainLine(line)
      if (careful.is !== 'entry' || !plain) throw new Error('The line is not read.')
      expect({ number: plain.number, bytes: plain.bytes, leaf: plain.leaf, mac: plain.mac }).toEqual({
        number,
        bytes: careful.entry.bytes,
        leaf: Buffer.from(careful.entry.leafHash).toString('hex'),
        mac: careful.entry.mac,
      })
      expect(plain.id).toBe(entry().id)
    }
  }
  expect(readPlainLine(lineOf(1, true, { subject: { kind: 'key', id: 'kü' } }))).toBeUndefined()
})

test('whichever byte of a line is changed, the quick way says nothing that the careful way would not', () => {
  const line = lineOf(12, true)
  for (let at = 0; at < line.length; at++) {
    for (const to of [0x22, 0x30, 0x31, 0x61, 0x5c, 0x7d, (line[at] ?? 0) ^ 1]) {
      const changed = Uint8Array.from(line)
      changed[at] = to
      const plain = readPlainLine(changed)
      if (!plain) continue
      const careful = readExportLine(changed)
      if (careful.is !== 'entry' || !careful.entry.bytes) throw new Error('The careful way reads no entry.')
      expect(Buffer.from(careful.entry.bytes).equals(plain.bytes)).toBe(true)
      expect(Buffer.from(leafHash(careful.entry.bytes)).toString('hex')).toBe(plain.leaf)
      expect(Buffer.from(careful.entry.leafHash).toString('hex')).toBe(plain.leaf)
      expect({ number: careful.entry.number, mac: careful.entry.mac, id: readEntry(careful.entry.bytes).id }).toEqual({
        number: plain.number,
        mac: plain.mac,
        id: plain.id,
      })
    }
  }
})
