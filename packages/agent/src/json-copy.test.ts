import fc from 'fast-check'
import { expect, test } from 'vitest'
import { copyArguments, copyJson, NotJson } from './json-copy.ts'

test('a copy says the same and shares nothing', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const copied = copyJson(value, 'value')
      expect(JSON.stringify(copied)).toBe(JSON.stringify(value))
      if (typeof value === 'object' && value !== null) expect(copied).not.toBe(value)
    }),
  )
})

test('whatever is given, there is a copy or a refusal that names the place', () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }), (value) => {
      try {
        copyArguments({ value })
      } catch (cause) {
        expect(cause).toBeInstanceOf(NotJson)
        expect(String(cause)).toContain('args.value')
      }
    }),
  )
  const deep = { a: [{ b: { when: new Date(0) } }] }
  expect(() => copyArguments(deep)).toThrow('args.a[0].b.when is no plain object.')
  expect(() => copyArguments({ f: () => 1 })).toThrow('args.f is a function, which JSON cannot hold.')
  let nested: unknown = 1
  for (let depth = 0; depth < 100_000; depth += 1) nested = [nested]
  expect(() => copyArguments({ nested })).toThrow('is nested too deep.')
})
