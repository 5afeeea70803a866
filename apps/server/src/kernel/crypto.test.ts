import { createHmac } from 'node:crypto'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  CannotUnseal,
  hashPassword,
  hmacSha256,
  makeKeyring,
  makeSigningKeyPair,
  passwordMatches,
  Secret,
  signatureMatches,
  signBytes,
  unusablePassword,
} from './crypto.ts'

const old = 'an older secret of the tests, long enough'
const current = 'the current secret of the tests, long enough'

test('the quick HMAC is the library’s, for every key and text', () => {
  const key = fc.uint8Array({ maxLength: 64 })
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.constant('ü€😀'.repeat(20_000)))
  fc.assert(
    fc.property(key, fc.array(text, { minLength: 1, maxLength: 4 }), (secret, texts) => {
      const mac = hmacSha256(secret)
      for (const one of texts) expect(mac(one)).toBe(createHmac('sha256', secret).update(one).digest('hex'))
    }),
  )
  expect(hmacSha256(Buffer.from('Jefe'))('what do ya want for nothing?')).toBe(
    // RFC 4231, test case 2.
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  )
  expect(() => hmacSha256(Buffer.alloc(65))).toThrow('Longer keys')
})

describe('keyrings', () => {
  test('digests of one purpose say nothing for another', () => {
    const keyring = makeKeyring([current])
    expect(keyring.digest('agent-key', 'x')).not.toBe(keyring.digest('session-token', 'x'))
  })

  test('a digest has its published form and value', () => {
    // Computed with another implementation: HKDF-SHA-256, salt "countersign", then HMAC-SHA-256.
    expect(makeKeyring(['0123456789abcdef0123456789abcdef']).digest('agent-key', 'edk_production_x')).toBe(
      '18d0f15d:e1b8af4990f46d33cdb01a04762c97040df1f5d113236ef86887213cc89e681d',
    )
  })

  test('what an older secret made is still found after a rotation', () => {
    const before = makeKeyring([old])
    const after = makeKeyring([current, old])
    expect(after.digests('agent-key', 'x')).toContain(before.digest('agent-key', 'x'))
    const box = before.seal('signing-key', 'row 1', Buffer.from('seed'))
    expect(after.unseal('signing-key', 'row 1', box).toString()).toBe('seed')
  })

  test('a box opens only for its purpose, its row and its secret, and only unchanged', () => {
    const keyring = makeKeyring([current])
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(), (data, at) => {
        const box = keyring.seal('signing-key', 'row 1', data)
        expect([...keyring.unseal('signing-key', 'row 1', box)]).toEqual([...data])
        const bytes = Buffer.from(box.slice(9), 'base64')
        const index = at % bytes.length
        bytes[index] = (bytes[index] ?? 0) ^ 1
        const changed = `${box.slice(0, 9)}${bytes.toString('base64')}`
        for (const open of [
          () => keyring.unseal('signing-key', 'row 2', box),
          () => keyring.unseal('setting', 'row 1', box),
          () => keyring.unseal('signing-key', 'row 1', changed),
          () => makeKeyring([old]).unseal('signing-key', 'row 1', box),
        ]) {
          expect(open).toThrow(CannotUnseal)
        }
      }),
    )
  })
})

describe('passwords', () => {
  test('the right one matches, another does not, and nobody has the unusable one', async () => {
    const hash = await hashPassword('correct horse')
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    expect(await passwordMatches('correct horse', hash)).toBe(true)
    expect(await passwordMatches('correct horse ', hash)).toBe(false)
    expect(await passwordMatches('', unusablePassword)).toBe(false)
    expect(await passwordMatches('x', 'garbage')).toBe(false)
  })
})

describe('signatures', () => {
  test('the first test vector of RFC 8032 comes out', () => {
    const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex')
    const publicKey = Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex')
    const signature = signBytes(seed, new Uint8Array())
    expect(signature.toString('hex')).toMatch(/^e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155/)
    expect(signatureMatches(publicKey, new Uint8Array(), signature)).toBe(true)
    expect(signatureMatches(makeSigningKeyPair().publicKey, new Uint8Array(), signature)).toBe(false)
  })
})

describe('secrets', () => {
  test('no way of printing one shows it', () => {
    const secret = new Secret('hunter2')
    for (const text of [
      String(secret),
      `${secret.toString()}`,
      JSON.stringify({ secret }),
      inspect(secret),
      inspect({ deep: [secret] }),
    ]) {
      expect(text).not.toContain('hunter2')
    }
    expect(secret.matches('hunter2')).toBe(true)
    expect(secret.matches('hunter3')).toBe(false)
  })
})
