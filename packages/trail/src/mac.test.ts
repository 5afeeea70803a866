import { expect, test } from 'vitest'
import { macChecker, macKeyId, macOf } from './mac.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const hex = (mac: Uint8Array) => Buffer.from(mac).toString('hex')

test('the MAC is HMAC-SHA-256 (RFC 4231, test case 2)', () => {
  expect(hex(macOf(bytes('Jefe'), bytes('what do ya want for nothing?')))).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  )
})

test('a secret is named without being told, and two have two names', () => {
  expect(macKeyId(bytes('Jefe'))).toMatch(/^[0-9a-f]{16}$/)
  expect(macKeyId(bytes('Jefe'))).not.toBe(macKeyId(bytes('jefe')))
})

test('after a rotation the MACs of both secrets verify, a forged one and one of a third do not', () => {
  const [old, current, third] = [bytes('old secret'), bytes('new secret'), bytes('third')]
  const check = macChecker([current, old])
  const made = (secret: Uint8Array, text: string) => ({ key: macKeyId(secret), value: macOf(secret, bytes(text)) })
  expect(check(bytes('x'), made(old, 'x'))).toBe('good')
  expect(check(bytes('x'), made(current, 'x'))).toBe('good')
  expect(check(bytes('y'), made(current, 'x'))).toBe('wrong')
  expect(check(bytes('x'), { key: macKeyId(current), value: new Uint8Array(3) })).toBe('wrong')
  expect(check(bytes('x'), made(third, 'x'))).toBe('unknown_key')
})
