import { describe, expect, test } from 'vitest'
import { oidcProviders } from './oidc-reader.ts'

const one = { name: 'acme', issuer: 'https://idp.example', client_id: 'c', client_secret: 's' }
const read = (more: object) => oidcProviders.read(JSON.stringify([{ ...one, ...more }]))[0]?.newcomers

describe('newcomers of a provider', () => {
  test('are nobody unless that was switched on, and then viewers, or what is named, or what groups give', () => {
    const on = { admits_newcomers: true, allowed_domains: ['example.com'] }
    expect(read({})).toBeNull()
    expect(read({ admits_newcomers: false })).toBeNull()
    expect(read(on)).toEqual({ role: 'viewer' })
    expect(read({ ...on, newcomer_role: 'approver' })).toEqual({ role: 'approver' })
    expect(read({ ...on, group_roles: { ops: ['ops'] } })).toEqual({ role: null })
    expect(read({ admits_newcomers: true, hosted_domain: 'example.com' })).toEqual({ role: 'viewer' })
  })

  test.each([
    ['from anywhere', { admits_newcomers: true }, 'allowed_domains'],
    [
      'as administrators',
      { admits_newcomers: true, allowed_domains: ['a.example'], newcomer_role: 'admin' },
      'administrator',
    ],
    ['of a role without the switch', { newcomer_role: 'viewer' }, 'admits_newcomers'],
    [
      'by role and by groups',
      { admits_newcomers: true, allowed_domains: ['a.example'], newcomer_role: 'ops', group_roles: { a: ['ops'] } },
      'keep one',
    ],
  ])('%s are refused at the start, with the remedy', (_, more, words) => {
    expect(() => read(more)).toThrow(words)
  })
})
