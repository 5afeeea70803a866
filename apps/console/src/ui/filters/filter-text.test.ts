import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Filter, hasFilter, onlyFilter, readFilters, toggleFilter, writeFilters } from './filter-text.ts'

const names = ['agent', 'tool', 'verdict']

test('conditions and plain words are told apart', () => {
  expect(readFilters('agent:build-7 drop table -verdict:allowed tool:"run shell"', names)).toEqual({
    filters: [
      { name: 'agent', value: 'build-7', isExcluded: false },
      { name: 'verdict', value: 'allowed', isExcluded: true },
      { name: 'tool', value: 'run shell', isExcluded: false },
    ],
    text: 'drop table',
  })
})

test('a name nobody knows is sought as text', () => {
  expect(readFilters('http://x color:red', names)).toEqual({ filters: [], text: 'http://x color:red' })
})

const filter = fc.record({
  name: fc.constantFrom(...names),
  value: fc.string({ minLength: 1 }).filter((value) => !/[\n\r]/.test(value)),
  isExcluded: fc.boolean(),
})

test('whatever conditions there are, written and read again they are the same', () => {
  fc.assert(
    fc.property(fc.array(filter), (filters) => {
      expect(readFilters(writeFilters({ filters, text: '' }), names)).toEqual({ filters, text: '' })
    }),
  )
})

test('whatever is typed, reading ends and loses no visible character of it', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'agent:-"\\ xé\t') }), (typed) => {
      const { filters, text } = readFilters(typed, names)
      if (filters.length === 0) expect(text.replace(/\s/g, '')).toBe(typed.replace(/\s/g, ''))
    }),
  )
})

test('toggling twice changes nothing, and never leaves a condition beside its opposite', () => {
  const distinct = (filters: readonly Filter[]) =>
    filters.every((one) => !hasFilter(filters, { ...one, isExcluded: !one.isExcluded }))
  fc.assert(
    fc.property(
      fc.uniqueArray(filter, { selector: ({ name, value }) => `${name}:${value}` }),
      filter,
      (filters, toggled) => {
        const once = toggleFilter(filters, toggled)
        expect(distinct(once)).toBe(true)
        if (!filters.some(({ name, value }) => name === toggled.name && value === toggled.value)) {
          expect(toggleFilter(once, toggled)).toEqual(filters)
        }
      },
    ),
  )
})

test('only keeps one value of a name and leaves other names alone', () => {
  const { filters } = readFilters('agent:a agent:b tool:c', names)
  expect(onlyFilter(filters, 'agent', 'd').map(({ value }) => value)).toEqual(['c', 'd'])
})
