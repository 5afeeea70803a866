import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalBytes } from './canonical-json.ts'
import { entryBytes, entryBytesMax, NotAnEntry, readEntry, type TrailEntry } from './entry.ts'

const sample: TrailEntry = {
  v: 1,
  id: '0190f5a0-0000-7000-8000-000000000001',
  at: '2026-02-28T10:00:00.123Z',
  tenant: 't1',
  act: 'key.created',
  outcome: 'done',
  actor: { kind: 'person', id: 'p1', credential: 'session', key_id: 's1' },
  subject: { kind: 'key', id: 'k1' },
  request: { id: 'r1' },
  details: { environment: 'production', after: { label: 'ci' } },
  sealed: [{ key: 'A'.repeat(43), box: 'AQID' }],
}

const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

test('an entry reads back as it was written', () => {
  expect(readEntry(entryBytes(sample))).toEqual(sample)
  const { sealed: _, ...bare } = sample
  const anonymous: TrailEntry = { ...bare, tenant: null, actor: { kind: 'anyone', id: '-' }, request: {} }
  expect(readEntry(entryBytes(anonymous))).toEqual(anonymous)
})

test('the bytes of format 1 never change', () => {
  expect(textOf(entryBytes(sample))).toBe(
    '{"act":"key.created","actor":{"credential":"session","id":"p1","key_id":"s1","kind":"person"},"at":"2026-02-28T10:00:00.123Z",' +
      '"details":{"after":{"label":"ci"},"environment":"production"},"id":"0190f5a0-0000-7000-8000-000000000001","outcome":"done",' +
      `"request":{"id":"r1"},"sealed":[{"box":"AQID","key":"${'A'.repeat(43)}"}],"subject":{"id":"k1","kind":"key"},"tenant":"t1","v":1}`,
  )
})

test('another writing of the same entry is refused: spaces, order, duplicate names, escapes, a byte order mark', () => {
  const text = textOf(entryBytes(sample))
  const writings = [
    ` ${text}`,
    text.replace(':', ': '),
    text.replace('"v":1', '"v":1.0'),
    text.replace('"v":1', '"v":1,"v":1'),
    text.replace('key.created', 'key\\u002ecreated'),
    `\ufeff${text}`,
    `${text}\n`,
    JSON.stringify(sample),
  ]
  for (const writing of writings) expect(() => readEntry(bytesOf(writing))).toThrow(NotAnEntry)
})

const broken: readonly (readonly [string, unknown])[] = [
  ['another version', { ...sample, v: 2 }],
  ['an unknown member', { ...sample, extra: 1 }],
  ['a missing member', { ...sample, act: undefined, at: undefined }],
  ['an id that is no UUIDv7', { ...sample, id: '0190f5a0-0000-4000-8000-000000000001' }],
  ['a day that does not exist', { ...sample, at: '2026-02-30T10:00:00.123Z' }],
  ['a time without milliseconds', { ...sample, at: '2026-02-28T10:00:00Z' }],
  ['an act without a noun', { ...sample, act: 'created' }],
  ['an outcome that is no word', { ...sample, outcome: 'Done!' }],
  ['an unknown kind of actor', { ...sample, actor: { kind: 'ghost', id: 'x' } }],
  ['an actor without id', { ...sample, actor: { kind: 'person', id: '' } }],
  ['a list for details', { ...sample, details: [] }],
  ['an empty list of boxes', { ...sample, sealed: [] }],
  ['a box that is not base64url', { ...sample, sealed: [{ key: 'A'.repeat(43), box: 'a+b=' }] }],
  ['an address in clear', { ...sample, request: { id: 'r', address: '192.0.2.1' } }],
]

test.for(broken)('refused with its reason: %s', ([, value]) => {
  const plain: unknown = JSON.parse(JSON.stringify(value))
  expect(() => readEntry(canonicalBytes(plain))).toThrow(NotAnEntry)
})

test('every moment is read and no other: days, leap years, hours', () => {
  const reads = (at: string): boolean => {
    try {
      return readEntry(canonicalBytes({ ...sample, at })).at === at
    } catch {
      return false
    }
  }
  const two = fc.integer({ min: 0, max: 99 }).map((n) => `${n}`.padStart(2, '0'))
  const year = fc
    .oneof(fc.integer({ min: 0, max: 9999 }), fc.constantFrom(1900, 2000, 2024, 2025, 2100))
    .map((n) => `${n}`.padStart(4, '0'))
  const date = fc
    .tuple(year, fc.integer({ min: 0, max: 14 }), fc.integer({ min: 0, max: 33 }))
    .map(([y, m, d]) => `${y}-${`${m}`.padStart(2, '0')}-${`${d}`.padStart(2, '0')}`)
  fc.assert(
    fc.property(date, fc.constantFrom('00', '23', '24'), two, two, (day, hour, minute, second) => {
      const at = `${day}T${hour}:${minute}:${second}.000Z`
      const parsed = new Date(at)
      expect(reads(at)).toBe(!Number.isNaN(parsed.getTime()) && parsed.toISOString() === at)
    }),
    { numRuns: 1000 },
  )
})

test('names out of order are refused at any depth, names that look like numbers included', () => {
  const nested = (text: string) =>
    bytesOf(textOf(entryBytes({ ...sample, details: { x: 0 } })).replace('{"x":0}', text))
  expect(readEntry(nested('{"a":[{"10":1,"9":2}],"b":1}')).details).toEqual({ a: [{ '9': 2, '10': 1 }], b: 1 })
  for (const text of [
    '{"b":1,"a":1}',
    '{"a":[{"9":2,"10":1}]}',
    '{"a":{"b":{"d":1,"c":1}}}',
    '{"a":"\\ud800"}',
    '{"a":"\\u00e9"}',
    '{"a":1e2}',
    '{"a":-0}',
    '{"a":1,"a":1}',
  ]) {
    expect(() => readEntry(nested(text))).toThrow(NotAnEntry)
  }
})

test('the longest entry is read, one byte more is refused', () => {
  const room = entryBytesMax - entryBytes({ ...sample, details: { x: '' } }).length
  expect(entryBytes({ ...sample, details: { x: 'a'.repeat(room) } })).toHaveLength(entryBytesMax)
  expect(() => entryBytes({ ...sample, details: { x: 'a'.repeat(room + 1) } })).toThrow('65536 bytes long')
})

test('whatever the bytes, reading gives an entry or NotAnEntry, nothing else', () => {
  const good = entryBytes(sample)
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.json().map(bytesOf), spoiled(good)), (bytes) => {
      try {
        expect(entryBytes(readEntry(bytes))).toEqual(new Uint8Array(bytes))
      } catch (cause) {
        expect(cause).toBeInstanceOf(NotAnEntry)
      }
    }),
  )
})

function spoiled(good: Uint8Array) {
  return fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([place, byte]) => {
    const bytes = new Uint8Array(good)
    bytes[place] = byte
    return bytes
  })
}
