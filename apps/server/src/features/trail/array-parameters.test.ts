import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openTrail, type TrailScene } from '../../../test/trail-scene.ts'
import { byteaArray, textArray, timeArray, uuidArray } from './array-parameters.ts'

let scene: TrailScene
beforeAll(async () => {
  scene = await openTrail()
})
afterAll(() => scene.close())

// PostgreSQL's text has neither lone surrogates nor U+0000.
const text = fc.string({ unit: 'binary' }).map((some) => some.toWellFormed().replaceAll('\0', ''))
const bytes = fc.uint8Array({ maxLength: 300 })
const moment = fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
const row = fc.record({ text: fc.option(text), bytes: fc.option(bytes), id: fc.option(fc.uuid()), moment })

test('whatever an array holds, PostgreSQL reads the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (rows) => {
      const read = await scene.db.query<{ text: string | null; bytes: Buffer | null; id: string | null; moment: Date }>(
        'select n.text, n.bytes, n.id, n.moment from unnest($1::text[], $2::bytea[], $3::uuid[], $4::timestamptz[]) as n (text, bytes, id, moment)',
        [
          textArray(rows.map((one) => one.text)),
          byteaArray(rows.map((one) => one.bytes)),
          uuidArray(rows.map((one) => one.id)),
          timeArray(rows.map((one) => one.moment)),
        ],
      )
      expect(read.map((one) => ({ ...one, bytes: one.bytes && [...one.bytes] }))).toEqual(
        rows.map((one) => ({ ...one, bytes: one.bytes && [...one.bytes] })),
      )
    }),
    { numRuns: 60 },
  )
})

test('an empty array has no rows', async () => {
  expect(await scene.db.query('select from unnest($1::text[])', [textArray([])])).toEqual([])
})

test('what is no id is refused rather than stored as another', () => {
  for (const id of ['', 'x'.repeat(36), '0190F5A0-0000-7000-9000-000000000001'])
    expect(() => uuidArray([id]), id).toThrow(RangeError)
})
