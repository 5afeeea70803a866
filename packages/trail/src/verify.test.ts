import fc from 'fast-check'
import { expect, test } from 'vitest'
import { entryBytes } from './entry.ts'
import { emptyFrontier, extendFrontier, leafHash, treeRoot } from './tree.ts'
import { type RecordedEntry, startVerification, verifyEntries } from './verify.ts'

function log(count: number): RecordedEntry[] {
  return Array.from({ length: count }, (_, number) => {
    const bytes = entryBytes({
      v: 1,
      id: `0190f5a0-0000-7000-8000-${number.toString(16).padStart(12, '0')}`,
      at: '2026-02-28T10:00:00.123Z',
      tenant: 't1',
      act: 'key.created',
      outcome: 'done',
      actor: { kind: 'person', id: 'p1' },
      subject: { kind: 'key', id: `k${number}` },
      request: {},
      details: { n: number },
    })
    return { number, bytes, leafHash: leafHash(bytes) }
  })
}

const headOf = (entries: readonly RecordedEntry[], size = entries.length) => ({
  size,
  root: treeRoot(entries.slice(0, size).map((entry) => entry.leafHash)),
})

const kinds = (entries: readonly RecordedEntry[], heads = [headOf(log(20))]) =>
  verifyEntries(entries, { heads }).faults.map((fault) => [fault.is, fault.number])

test('an untouched log is found good, against every head ever recorded', () => {
  const entries = log(20)
  const heads = Array.from({ length: 21 }, (_, size) => headOf(entries, size))
  const found = verifyEntries(entries, { heads })
  expect(found).toMatchObject({ ok: true, entries: 20, headsCompared: 21, faultCount: 0, faults: [] })
  expect(found.head).toEqual(headOf(entries))
})

test('an empty log is good', () => {
  expect(verifyEntries([])).toMatchObject({ ok: true, entries: 0 })
})

test('any changed byte of any entry is found, and the entry named', () => {
  const entries = log(20)
  fc.assert(
    fc.property(fc.nat(19), fc.nat(), fc.integer({ min: 1, max: 255 }), (number, place, flip) => {
      const changed = entries.map((entry) => {
        if (entry.number !== number) return entry
        const bytes = new Uint8Array(entry.bytes ?? [])
        const i = place % bytes.length
        bytes[i] = (bytes[i] ?? 0) ^ flip
        return { ...entry, bytes }
      })
      const found = verifyEntries(changed)
      expect(found.ok).toBe(false)
      expect(found.faults[0]).toMatchObject({ is: 'changed', number })
    }),
  )
})

test('an entry changed together with its leaf hash is found against a recorded head, and the span named', () => {
  const entries = log(20)
  const bytes = new TextEncoder().encode(
    new TextDecoder().decode(entries[7]?.bytes ?? undefined).replace('"k7"', '"k8"'),
  )
  const forged = entries.with(7, { number: 7, bytes, leafHash: leafHash(bytes) })
  expect(verifyEntries(forged).ok).toBe(true)
  const found = verifyEntries(forged, { heads: [headOf(entries, 5), headOf(entries, 10), headOf(entries, 20)] })
  expect(found.faults).toEqual([
    {
      is: 'head_differs',
      number: 10,
      says: 'A recorded head over 10 entries differs from the head recomputed from the bytes: one or more of the entries 5 to 9 was changed, put in, left out or moved.',
    },
  ])
})

test('a deleted entry is found, also when the rest is renumbered', () => {
  const entries = log(20)
  const gap = entries.toSpliced(4, 3)
  expect(verifyEntries(gap).faults).toEqual([{ is: 'missing', number: 4, says: 'Entries 4 to 6 are missing.' }])
  expect(kinds(gap.map((entry, number) => ({ ...entry, number })))).toEqual([['cut_off', 17]])
  expect(kinds(entries.toSpliced(0, 1))).toEqual([['missing', 0]])
})

test('a cut-off end is found against a recorded head', () => {
  expect(kinds(log(19))).toEqual([['cut_off', 19]])
  expect(kinds([])).toEqual([['cut_off', 0]])
})

test('two entries that changed places are found, with their numbers or without', () => {
  const entries = log(20)
  const [a, b] = [entries[3], entries[9]]
  if (!a || !b) throw new Error('the log has twenty entries')
  expect(verifyEntries(entries.with(3, b).with(9, a)).ok).toBe(false)
  expect(kinds(entries.with(3, { ...b, number: 3 }).with(9, { ...a, number: 9 }))).toEqual([['head_differs', 20]])
})

test('an entry put in is found: with a number of its own, a number taken, or everything renumbered', () => {
  const entries = log(20)
  const [one] = log(1)
  if (!one) throw new Error('the log has one entry')
  const bytes = new TextEncoder().encode(
    new TextDecoder().decode(one.bytes ?? undefined).replace(/-0{12}/, '-00000000ffff'),
  )
  const foreign = { number: 5, bytes, leafHash: leafHash(bytes) }
  expect(kinds(entries.toSpliced(5, 0, foreign))).toContainEqual(['repeated', 5])
  const renumbered = entries.toSpliced(5, 0, foreign).map((entry, number) => ({ ...entry, number }))
  expect(kinds(renumbered)).toEqual([['head_differs', 20]])
  expect(kinds([...entries, { ...one, number: 20 }])).toEqual([['repeated', 20]])
})

test('an entry swapped for another valid one is found by its id or by the head', () => {
  const entries = log(20)
  const [first] = entries
  if (!first) throw new Error('the log has twenty entries')
  expect(kinds(entries.with(6, { ...first, number: 6 }))).toEqual([
    ['repeated', 6],
    ['head_differs', 20],
  ])
})

test('whatever is done to the numbers and the order, anything but the log itself is found', () => {
  const entries = log(8)
  const head = headOf(entries)
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(7), fc.integer({ min: -1, max: 9 })), { maxLength: 9 }), (picks) => {
      const forged = picks.map(([from, number]) => ({ ...(entries[from] ?? never()), number }))
      const isLog = forged.length === 8 && picks.every(([from, number], i) => from === i && number === i)
      expect(verifyEntries(forged, { heads: [head] }).ok).toBe(isLog)
    }),
  )
})

test('a span can be verified from a frontier, without what came before', () => {
  const entries = log(20)
  const from = extendFrontier(
    emptyFrontier,
    entries.slice(0, 13).map((entry) => entry.leafHash),
  )
  expect(verifyEntries(entries.slice(13), { from, heads: [headOf(entries)] })).toMatchObject({
    ok: true,
    entries: 7,
    headsCompared: 1,
  })
  const wrong = extendFrontier(
    emptyFrontier,
    entries.slice(1, 14).map((entry) => entry.leafHash),
  )
  expect(verifyEntries(entries.slice(13), { from: wrong, heads: [headOf(entries)] }).ok).toBe(false)
})

test('a head is held against the log also when it is told between two entries', () => {
  const entries = log(5)
  const verifier = startVerification()
  for (const entry of entries) {
    verifier.add(entry)
    verifier.expectHeads([{ size: entry.number + 1, root: headOf(log(5), entry.number + 1).root }])
  }
  expect(verifier.finish()).toMatchObject({ ok: true, headsCompared: 5 })
})

test('entries that the reader may not see count by their leaf, and a changed leaf is found', () => {
  const entries = log(20).map((entry) => (entry.number % 3 === 0 ? entry : { ...entry, bytes: null }))
  expect(verifyEntries(entries, { heads: [headOf(log(20))] })).toMatchObject({ ok: true, entries: 20, hidden: 13 })
  const [first] = entries
  if (!first) throw new Error('the log has twenty entries')
  expect(kinds(entries.with(4, { ...first, number: 4, bytes: null }))).toEqual([['head_differs', 20]])
})

test('bytes that are no entry are named, though their leaf is right', () => {
  const bytes = new TextEncoder().encode('{"v":1}')
  expect(verifyEntries([{ number: 0, bytes, leafHash: leafHash(bytes) }]).faults).toMatchObject([
    { is: 'malformed', number: 0 },
  ])
})

test('only the first faults are kept, all are counted', () => {
  const faulty = log(500).map((entry) => ({ ...entry, leafHash: new Uint8Array(32) }))
  const found = verifyEntries(faulty, { faultsMax: 10 })
  expect(found.faults).toHaveLength(10)
  expect(found.faultCount).toBe(500)
})

function never(): never {
  throw new Error('unreachable')
}
