import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalBytes, canonicalJson, jsonDepthMax, NotCanonical } from './canonical-json.ts'

test('the example of RFC 8785 §3.2.2 is written as the RFC writes it', () => {
  const value: unknown = JSON.parse(
    String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
  )
  expect(canonicalJson(value)).toBe(
    String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
  )
})

test('names are sorted by UTF-16 code units, as in RFC 8785 §3.2.3', () => {
  const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 }
  const written: unknown = JSON.parse(
    canonicalJson(value)
      .replaceAll(/"([^"]*)":\d/g, '["$1"]')
      .replace('{', '[')
      .replace('}', ']'),
  )
  expect(written).toEqual([['\r'], ['1'], ['\u0080'], ['\u00f6'], ['\u20ac'], ['\u{1f600}'], ['\ufb33']])
})

// The table of RFC 8785, appendix B: the double's bits and how it is written.
test.for([
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
] as const)('the number with bits %s is written %s', ([bits, text]) => {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, BigInt(`0x${bits}`))
  expect(canonicalJson(view.getFloat64(0))).toBe(text)
})

const json = fc.jsonValue({ maxDepth: 6, stringUnit: 'grapheme' })

test('whatever the value, reading the text back gives the value, and writing it again gives the text', () => {
  fc.assert(
    fc.property(json, (value) => {
      const text = canonicalJson(value)
      expect(canonicalJson(JSON.parse(text))).toBe(text)
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('the order in which members were set makes no difference', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(fc.string({ unit: 'grapheme' }), json), { selector: ([name]) => name }),
      (members) => {
        expect(canonicalJson(Object.fromEntries(members))).toBe(canonicalJson(Object.fromEntries(members.toReversed())))
      },
    ),
  )
})

test('a lone surrogate is refused, in a value and in a name, and the message names the place', () => {
  expect(() => canonicalJson({ a: ['x', '\ud800'] })).toThrow(
    new NotCanonical('/a/1 holds a lone surrogate, which UTF-8 cannot carry; escape it first.'),
  )
  expect(() => canonicalJson({ '\udc00': 1 })).toThrow(NotCanonical)
  expect(canonicalJson('\u{1f600}')).toBe('"\u{1f600}"')
})

test('what JSON does not have is refused, never dropped', () => {
  const cycle: unknown[] = []
  cycle.push(cycle)
  for (const value of [
    undefined,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1n,
    Symbol('s'),
    () => 1,
    new Map(),
    new Uint8Array(1),
    cycle,
    [undefined],
    { a: undefined },
  ]) {
    expect(() => canonicalJson(value)).toThrow(NotCanonical)
  }
  expect(() => canonicalJson([1, , 2])).toThrow('/1 is undefined')
})

test('nesting stops at its limit and never at the stack', () => {
  const nested = (levels: number) => {
    let value: unknown = 1
    for (let i = 0; i < levels; i++) value = [value]
    return value
  }
  expect(canonicalJson(nested(jsonDepthMax))).toHaveLength(2 * jsonDepthMax + 1)
  expect(() => canonicalJson(nested(jsonDepthMax + 1))).toThrow('nested more than 64 levels')
  expect(() => canonicalJson(nested(100_000))).toThrow('nested more than 64 levels')
})

test('a member called __proto__ is data like any other', () => {
  expect(canonicalJson(JSON.parse('{"__proto__":{"b":1},"a":2}'))).toBe('{"__proto__":{"b":1},"a":2}')
})

test('the bytes are the UTF-8 of the text', () => {
  expect(new TextDecoder().decode(canonicalBytes({ b: 'ü', a: 1 }))).toBe('{"a":1,"b":"ü"}')
})

test('a toJSON of the value, of its class or of all objects has no say in what is written', () => {
  const told = { a: 1, toJSON: 'plain data' }
  expect(canonicalJson(told)).toBe('{"a":1,"toJSON":"plain data"}')
  expect(() => canonicalJson({ a: 1, toJSON: () => 2 })).toThrow(NotCanonical)
  expect(() => canonicalJson(Object.assign([1], { toJSON: () => 2 }))).not.toThrow()
  expect(canonicalJson(Object.assign([1], { toJSON: () => 2 }))).toBe('[1]')
  Object.defineProperty(Object.prototype, 'toJSON', { value: () => 2, configurable: true })
  try {
    expect(canonicalJson({ a: [1, { b: 2 }] })).toBe('{"a":[1,{"b":2}]}')
  } finally {
    Reflect.deleteProperty(Object.prototype, 'toJSON')
  }
})
