import { expect, test } from 'vitest'
import { filtersOf, isOpenEnded, listOf, queryOf, rangeReaching, readSearch, withFilters, withRange } from './search.ts'

const now = Date.parse('2026-03-03T12:00:00.000Z')
const asked = (search: Record<string, unknown>, environment?: string) =>
  queryOf(listOf(readSearch(search), environment), now)

test('links of other pages become part of the filter, whatever is in their names', () => {
  expect(readSearch({ tool: 'read_file', q: 'needle' })).toEqual({ filter: 'tool:read_file needle' })
  expect(readSearch({ rule: 'a "b" c' })).toEqual({ filter: String.raw`rule:"a \"b\" c"` })
  expect(asked({ rule: 'a "b" c' })['rule']).toEqual(['a "b" c'])
  expect(asked({ q: 42 })['q']).toBe('42')
})

test('values of one name are alternatives, a minus leaves out, verdicts are said in our words', () => {
  const query = asked({
    filter: 'agent:build-* agent:deploy -tool:read_file verdict:blocked verdict:odd -rule:(none) rm',
  })
  expect(query).toEqual({
    agent: ['build-*', 'deploy'],
    not_tool: ['read_file'],
    verdict: ['call_blocked', 'odd'],
    not_rule: [''],
    q: 'rm',
    since: '2026-03-02T12:00:00.000Z',
    until: undefined,
  })
})

test('the environment of the whole console stands above one in the filter', () => {
  expect(asked({ filter: 'environment:staging' })['environment']).toEqual(['staging'])
  expect(asked({ filter: 'environment:staging' }, 'production')['environment']).toEqual(['production'])
  expect(filtersOf({ filter: 'environment:staging -environment:dev' }, 'production').filters).toEqual([
    { name: 'environment', value: 'dev', isExcluded: true },
  ])
})

test('an address keeps what was filtered when the range changes, and the range when the filter changes', () => {
  const search = readSearch({ filter: 'tool:shell', range: '7d', event: 'e' })
  const zoomed = withRange(search, { since: '2026-03-03T00:00:00Z', until: '2026-03-03T01:00:00Z' })
  expect(zoomed).toEqual({
    filter: 'tool:shell',
    event: 'e',
    since: '2026-03-03T00:00:00.000Z',
    until: '2026-03-03T01:00:00.000Z',
  })
  expect([isOpenEnded(search), isOpenEnded(zoomed)]).toEqual([true, false])
  expect(withFilters(zoomed, { filters: [], text: '' })).not.toHaveProperty('filter')
  expect(withFilters(zoomed, { filters: [], text: '' }).since).toBe('2026-03-03T00:00:00.000Z')
})

test('what is no time and no range is not asked', () => {
  expect(readSearch({ since: 'yesterday', until: '2026-03-03', range: '3 weeks' })).toEqual({})
})

test('the shortest range that reaches an event is offered, and the moment itself when none does', () => {
  expect(rangeReaching('2026-03-03T11:50:00Z', now)).toEqual({ range: '15m' })
  expect(rangeReaching('2026-02-20T12:00:00Z', now)).toEqual({ range: '30d' })
  expect(rangeReaching('2020-01-01T00:00:00Z', now)).toEqual({ since: '2020-01-01T00:00:00Z' })
})
