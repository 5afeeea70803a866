import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  isExactNumber,
  type JsonValue,
  NestedTooDeep,
  needsExactNumbers,
  readJson,
  writeJson,
  writeSortedJson,
} from './json.ts'

test('numbers that a double cannot hold come out as they went in', () => {
  for (const text of ['12345678901234567890', '0.1000000000000000055', '1e400', '-1E-999', '9007199254740993']) {
    expect(writeJson(readJson(`{"n":${text}}`))).toBe(`{"n":${text}}`)
    expect(writeSortedJson(readJson(`[${text}]`))).toBe(`[${text}]`)
    expect(isExactNumber(readJson(text))).toBe(true)
  }
})

test('numbers that a double holds are plain numbers, however they are written', () => {
  for (const text of ['1.0', '1e3', '100000000000000000000', '0.1', '-0', '0e999', '1.50000000000000000', '5E-1']) {
    expect(readJson(text)).toBe(JSON.parse(text))
  }
})

test('whatever JSON can say is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value)
      expect(readJson(text)).toEqual(JSON.parse(text))
      expect(JSON.parse(writeSortedJson(readJson(text)))).toEqual(JSON.parse(text))
    }),
  )
})

test('whatever the digits of a number, reading and writing it changes nothing but the spelling', () => {
  const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,40})(\.\d{1,40})?([eE][+-]?\d{1,3})?$/)
  fc.assert(
    fc.property(digits, (text) => {
      const value = readJson(text)
      if (isExactNumber(value)) expect(writeJson(value)).toBe(text)
      else expect(Number(text)).toBe(value)
    }),
  )
})

test('no body with a number that a double cannot hold passes for one without', () => {
  const number = fc.oneof(
    fc.stringMatching(/^-?(0|[1-9]\d{0,25})(\.\d{1,25})?([eE][+-]?\d{1,3})?$/),
    fc.stringMatching(/^-?[1-9]\d{18,25}$/),
  )
  const space = fc.constantFrom('', ' ', '\n', '\t\r ')
  let kept = 0
  fc.assert(
    fc.property(number, space, fc.constantFrom('ü', 'a1', '12e'), (digits, gap, word) => {
      const text = `{"${word}":"${word}","list":[${gap}${digits}${gap},${gap}${digits}],"n":${gap}${digits}${gap}}`
      const isKept = JSON.stringify(readJson(text)) !== JSON.stringify(JSON.parse(text))
      if (isKept) kept += 1
      expect(needsExactNumbers(Buffer.from(text)) || !isKept).toBe(true)
    }),
    { numRuns: 1_000 },
  )
  expect(kept).toBeGreaterThan(200)
  expect(needsExactNumbers(Buffer.from('{"a":"12345678901234567890","b":"1e5","c":[1,-2.5],"d":{"e":0}}'))).toBe(false)
})

test('objects with the same members in another order have the same sorted text', () => {
  expect(writeSortedJson({ b: [{ d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[{"c":2,"d":1}]}')
  const odd = readJson('{"__proto__":{"x":1},"a":"\\u0000\\ud800"}')
  expect(writeSortedJson(odd)).toBe('{"__proto__":{"x":1},"a":"\\u0000\\ud800"}')
})

test('nesting without end is refused by name and not by a full stack', () => {
  let deep: JsonValue = 1
  for (let level = 0; level < 50_000; level += 1) deep = [deep]
  expect(() => writeSortedJson(deep)).toThrow(NestedTooDeep)
})
