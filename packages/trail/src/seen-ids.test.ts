import fc from 'fast-check'
import { expect, test } from 'vitest'
import { seenIds, writeUuid } from './seen-ids.ts'

const id = fc.uint8Array({ minLength: 16, maxLength: 16 })

test('whatever the ids, the second of a kind is told the number of the one before it', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(id, { minLength: 1, selector: (one) => one.join() }),
      fc.array(fc.nat()),
      (ids, order) => {
        const seen = seenIds(1_000_000)
        const wanted = new Map<number, number>()
        for (const [number, any] of order.entries()) {
          const which = any % ids.length
          expect(seen.note(ids[which] ?? new Uint8Array(16), number)).toBe(wanted.get(which))
          wanted.set(which, number)
        }
      },
    ),
  )
})

test('ids are remembered for as long as was asked for, and the room for them grows', () => {
  const seen = seenIds(20_000)
  const idOf = (n: number) => Uint8Array.from(new Uint8Array(new BigUint64Array([7n, BigInt(n)]).buffer))
  for (let n = 0; n < 30_000; n++) expect(seen.note(idOf(n), n)).toBeUndefined()
  for (const n of [0, 9_999, 19_999, 20_000, 29_999]) expect(seen.note(idOf(n), 30_000 + n)).toBe(n)
})

test('the bytes of a UUID are those it is written with', () => {
  const bytes = new Uint8Array(18)
  writeUuid('0190f5a0-1234-7abc-8def-0123456789ab', bytes, 1)
  expect(Buffer.from(bytes).toString('hex')).toBe('000190f5a012347abc8def0123456789ab00')
})
