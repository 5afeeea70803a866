import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readTags, tagWords } from './tags.ts'

describe('tags as they are typed', () => {
  test('are read with or without spaces, and a value may hold an equals sign', () => {
    expect(readTags('team=billing,region = eu , q=a=b')).toEqual({
      tags: { team: 'billing', region: 'eu', q: 'a=b' },
      mistake: undefined,
    })
    expect(readTags('  ')).toEqual({ tags: {}, mistake: undefined })
  })

  test('say what is wrong with them', () => {
    expect(readTags('billing').mistake).toContain('billing')
    expect(readTags('=x').mistake).toContain('name=value')
    expect(readTags('a=1, a=2').mistake).toContain('twice')
    expect(readTags(`a=${'x'.repeat(300)}`).mistake).toContain('too long')
  })

  test('come back as they were written', () => {
    const word = fc.stringMatching(/^[a-z0-9]{1,12}$/)
    fc.assert(
      fc.property(fc.dictionary(word, word, { noNullPrototype: true }), (tags) => {
        expect(readTags(tagWords(tags)).tags).toEqual(tags)
      }),
    )
  })
})
