import { Type as TypeBox } from 'typebox'
import { expect, test } from 'vitest'
import { Type as Ours } from './type.ts'

type Builder = typeof Ours
const samples: readonly [string, (type: Builder) => unknown][] = [
  ['a string', (type) => type.String({ minLength: 1, pattern: '^a', description: 'words' })],
  ['numbers', (type) => [type.Integer({ minimum: 0 }), type.Number(), type.Number({ maximum: 1 })]],
  ['a boolean, null and anything', (type) => [type.Boolean(), type.Null(), type.Unknown({ description: 'any' })]],
  ['literals', (type) => [type.Literal('a'), type.Literal(3, { description: 'three' }), type.Literal(true)]],
  ['a choice of words', (type) => type.Enum(['a', 'b'], { description: 'one' })],
  ['a list', (type) => type.Array(type.String(), { minItems: 1 })],
  ['one of several', (type) => type.Union([type.Null(), type.String()], { description: 'either' })],
  ['a schema given as it is', (type) => type.Unsafe({ type: 'object', additionalProperties: true })],
  ['an object without properties', (type) => type.Object({})],
  ['an object of optional properties', (type) => type.Object({ a: type.Optional(type.Null()) })],
  [
    'an object of both, one in another',
    (type) =>
      type.Object(
        { z: type.String(), a: type.Optional(type.Object({ b: type.Integer() })), c: type.Array(type.Null()) },
        { additionalProperties: false },
      ),
  ],
  [
    'a part of an object',
    (type) => type.Partial(type.Object({ a: type.String(), b: type.Optional(type.Null()) }), { description: 'some' }),
  ],
  [
    'a property used as required and as optional',
    (type) => {
      const text = type.String()
      return type.Object({ a: text, b: type.Optional(text), c: text })
    },
  ],
  ['a record', (type) => type.Record(type.String({ minLength: 1 }), type.Unknown(), { maxProperties: 4 })],
  ['a record whose keys have a pattern', (type) => type.Record(type.String({ pattern: '^x' }), type.Integer())],
]

test.each(samples)('%s is the schema that TypeBox makes, in the same order', (_, build) => {
  expect(JSON.stringify(build(Ours))).toBe(JSON.stringify(build(TypeBox)))
})
