import { expect, test } from 'vitest'
import { isSigned, sha256 } from './crypto.ts'

// RFC 8032, section 7.1, test 2.
const publicKey = '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c'
const signature = Buffer.from(
  '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  'hex',
).toString('base64')
const bytes = Buffer.from('72', 'hex')

test('the signature of the standard’s example verifies, over these bytes and by this key alone', () => {
  expect(isSigned(bytes, signature, publicKey)).toBe(true)
  expect(isSigned(Buffer.from('73', 'hex'), signature, publicKey)).toBe(false)
  expect(isSigned(bytes, signature, publicKey.replace('3d', '3e'))).toBe(false)
})

test('whatever is no signature or no key is refused and not thrown over', () => {
  for (const odd of [
    undefined,
    null,
    7,
    '',
    'AAAA',
    `${signature}=`,
    signature.slice(1),
    `${signature}\n`,
    [signature],
  ]) {
    expect(isSigned(bytes, odd, publicKey)).toBe(false)
  }
  for (const odd of ['', 'zz', 'f'.repeat(64), '0'.repeat(64), publicKey.toUpperCase(), `${publicKey}0`]) {
    expect(isSigned(bytes, signature, odd)).toBe(false)
  }
})

test('hashes are those of the standard', () => {
  expect(sha256(Buffer.from('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})
