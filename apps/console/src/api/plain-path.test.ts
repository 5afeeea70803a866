import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isPlainPath } from './plain-path.ts'

test.each([
  '/api/v2/keys',
  '/api/v2/rulesets/a.b-c_1/revisions/3',
  `/api/v2/roles/${encodeURIComponent('Zoë & Co/x')}`,
])('%s is asked for as it stands', (path) => {
  expect(isPlainPath(path)).toBe(true)
})

test.each(['../keys', '..', '.', '%2e%2e/keys', '.%2E', 'x/../../keys', 'x?y=1', 'x#y', '\\..\\keys', 'x\t'])(
  'an id such as %j is not',
  (id) => {
    expect(isPlainPath(`/api/v2/approvals/${id}`)).toBe(false)
  },
)

test('whatever an id is, a request stays below the thing it is for', () => {
  const part = fc.string({ unit: fc.constantFrom('.', '/', '\\', '%2e', '%2f', 'a', '?', '#', ';', '\t', '%') })
  fc.assert(
    fc.property(part, (id) => {
      const path = `/api/v2/approvals/${id}/decision`
      if (!isPlainPath(path)) return
      const { pathname, search } = new URL(path, 'http://here.example')
      expect(pathname.startsWith('/api/v2/approvals/')).toBe(true)
      expect(pathname.endsWith('/decision')).toBe(true)
      expect(search).toBe('')
    }),
    { numRuns: 2_000 },
  )
})
