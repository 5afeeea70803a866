import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonMember } from './json-member.ts'

test('every digit of a member is kept', () => {
  expect(jsonMember('{"id":"x","args":{"n":12345678901234567890.5},"z":1}', 'args')).toBe(
    '{"n":12345678901234567890.5}',
  )
})

test('a name inside of another value is not taken for the member', () => {
  expect(jsonMember('{"a":{"args":1},"b":"\\"args\\":2", "args" : [ 3 ] }', 'args')).toBe('[ 3 ]')
  expect(jsonMember('{"a":{"args":1}}', 'args')).toBeNull()
  expect(jsonMember('[1]', 'args')).toBeNull()
})

test('whatever the object, each member comes back as it was written', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue()), fc.boolean(), (object, isSpaced) => {
      const json = JSON.stringify(object, null, isSpaced ? 2 : 0)
      for (const [name, value] of Object.entries(object)) {
        expect(JSON.parse(jsonMember(json, name) ?? 'no')).toEqual(JSON.parse(JSON.stringify(value)))
      }
    }),
  )
})
