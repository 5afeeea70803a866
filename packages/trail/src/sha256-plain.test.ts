import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sha256 } from './sha256.ts'
import { sha256 as plain } from './sha256-plain.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('the hash for browsers is SHA-256 (FIPS 180-4)', () => {
  expect(hex(plain(new Uint8Array(0)))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  expect(hex(plain(new TextEncoder().encode('abc')))).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  )
})

test('it agrees with the machine’s own on every length and content', () => {
  for (let length = 0; length < 200; length++) {
    const bytes = new Uint8Array(length).fill(length)
    expect(hex(plain(bytes)), `${length}`).toBe(hex(sha256(bytes)))
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => hex(plain(bytes)) === hex(sha256(bytes))))
})
