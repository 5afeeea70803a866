import { expect, test } from 'vitest'
import { factSealer, makePersonKey, openFacts, personKeyName, sealFacts } from './seal.ts'

const id = '0190f5a0-0000-7000-8000-000000000001'
const facts = { actor: { email: 'ada@example.com', address: '192.0.2.1' } }

test('sealed facts open with their key, for their entry', () => {
  const key = makePersonKey()
  const sealed = sealFacts(key, id, facts)
  expect(openFacts(key, id, sealed)).toEqual(facts)
  expect(Buffer.from(sealed.box, 'base64url').toString('latin1')).not.toContain('ada')
})

test('a box does not open under another key, in another entry, or with any byte changed', () => {
  const key = makePersonKey()
  const sealed = sealFacts(key, id, facts)
  expect(openFacts(makePersonKey(), id, sealed)).toBeUndefined()
  expect(openFacts(key, id.replace(/1$/, '2'), sealed)).toBeUndefined()
  const box = Buffer.from(sealed.box, 'base64url')
  for (let i = 0; i < box.length; i++) {
    const changed = Buffer.from(box)
    changed[i] = (changed[i] ?? 0) ^ 1
    expect(openFacts(key, id, { key: sealed.key, box: changed.toString('base64url') })).toBeUndefined()
  }
  for (const length of [0, 1, 12, 28])
    expect(openFacts(key, id, { key: sealed.key, box: box.subarray(0, length).toString('base64url') })).toBeUndefined()
})

test('a key put in the place of another is noticed by its name', () => {
  const sealed = sealFacts(makePersonKey(), id, facts)
  const other = makePersonKey()
  expect(openFacts(other, id, { ...sealed, key: personKeyName(other) })).toBeUndefined()
})

test('the name of a key never changes', () => {
  expect(personKeyName(new Uint8Array(32))).toBe('RFnTAnVA1Hrn5y3BxRPh-609EoJP2yjFGtb5ONkn9Sg')
  expect(() => personKeyName(new Uint8Array(31))).toThrow('32 bytes')
})

test('a key that seals many entries seals each of them for itself', () => {
  const key = makePersonKey()
  const seal = factSealer(key)
  const boxes = Array.from({ length: 2000 }, (_, n) => seal(`${id}-${n}`, { n }))
  expect(boxes.map((box, n) => openFacts(key, `${id}-${n}`, box))).toEqual(boxes.map((_, n) => ({ n })))
  const nonces = boxes.map(({ box }) => Buffer.from(box, 'base64url').subarray(1, 13).toString('hex'))
  expect(new Set(nonces).size).toBe(2000)
})
