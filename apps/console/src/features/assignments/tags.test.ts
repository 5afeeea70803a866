import fc from 'fast-check'
import { expect, test } from 'vitest'
import { faultOfTags, readTags, writeTags } from './tags.ts'

test('tags survive being written and read, whatever their values hold', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9._-]{0,20}$/)
  const value = fc.string().map((text) => text.trim())
  fc.assert(
    fc.property(fc.dictionary(name, value, { minKeys: 1, noNullPrototype: true }), (tags) => {
      expect(readTags(writeTags(tags))).toEqual(tags)
      expect(faultOfTags(writeTags(tags))).toBeUndefined()
    }),
  )
})

test('a tag without a name, without an equals sign or written twice is named', () => {
  expect(faultOfTags(['billing'])).toContain('billing')
  expect(faultOfTags(['=billing'])).toContain('=billing')
  expect(faultOfTags(['team=a', 'team=b'])).toContain('team')
})

test('no tags match every agent', () => {
  expect(readTags([])).toBeNull()
})
