import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Secret } from '../../kernel/crypto.ts'
import { type Provider, provenBy, safeReturn } from './provider.ts'

const provider: Provider = {
  name: 'acme',
  title: 'Acme',
  issuer: 'https://idp.example',
  clientId: 'c',
  clientSecret: new Secret('s'),
  allowedDomains: ['acme.example'],
  hostedDomain: null,
  scopes: [],
  asksForAccount: false,
  groupsClaim: 'groups',
  groupRoles: null,
  newcomers: null,
  callback: '/x',
}
const honest = { iss: 'https://idp.example', sub: '1', email: 'Ann@Acme.example', email_verified: true }

describe('what a provider’s claims prove', () => {
  test('an address counts only when the provider verified it', () => {
    expect(provenBy(provider, honest)).toMatchObject({ email: 'Ann@Acme.example', subject: '1' })
    for (const lie of [false, undefined, 'true', 1, null])
      expect(() => provenBy(provider, { ...honest, email_verified: lie })).toThrow('unverified_email')
  })

  test('the domain is all that stands behind the one @', () => {
    for (const email of [
      'a@evil.example',
      'a@acme.example@evil.example',
      'a@acme.example.evil.example',
      'acme.example',
    ])
      expect(() => provenBy(provider, { ...honest, email })).toThrow('domain')
  })

  test('a personal account has no hosted domain, whatever its address', () => {
    const hosted = { ...provider, hostedDomain: 'acme.example' }
    expect(() => provenBy(hosted, honest)).toThrow('domain')
    expect(() => provenBy(hosted, { ...honest, hd: 'evil.example' })).toThrow('domain')
    expect(provenBy(hosted, { ...honest, hd: 'Acme.example' }).email).toBe('Ann@Acme.example')
  })

  test('groups that are no list of words are none', () => {
    for (const groups of ['admins', { admins: true }, [1, null], undefined])
      expect(provenBy(provider, { ...honest, groups }).groups).toEqual([])
  })
})

describe('where to return to', () => {
  test('is a path of ours', () => {
    expect(safeReturn('/agents?status=silent#x')).toBe('/agents?status=silent#x')
    for (const asked of [
      '//evil.example',
      '/\\evil.example',
      'https://evil.example',
      'javascript:alert(1)',
      '/\t/evil.example',
      '/ /evil.example',
      '',
      'agents',
      undefined,
    ])
      expect(safeReturn(asked), String(asked)).toBe('/')
  })

  test('whatever is asked for, a browser stays here', () => {
    const start = fc.constantFrom('', '/', '//', '/\\', '\\', 'https:', 'https://', '/%2f', '/.//', '/..//')
    fc.assert(
      fc.property(start, fc.string({ unit: 'binary' }), (begin, rest) => {
        const to = safeReturn(begin + rest)
        expect(new URL(to, 'https://here.example/sign-in').origin).toBe('https://here.example')
        expect(to.startsWith('/')).toBe(true)
      }),
      { numRuns: 1000 },
    )
  })
})
