import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Node, readTree } from './json-tree.ts'
import { foldedAtFirst, isHit, isMasked, linesOf, membersOf } from './lines.ts'

const tree = (value: unknown): Node => readTree(JSON.stringify(value)) ?? { is: 'word', written: 'null' }

function back(node: Node): unknown {
  if (node.is === 'object') return Object.fromEntries(node.members.map(({ name, value }) => [name, back(value)]))
  if (node.is === 'list') return node.items.map(back)
  return node.is === 'text' ? node.text : JSON.parse(node.written)
}

test('any JSON is read to the same value, whatever its spacing', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 1, 4, '\t'), (value, spaces) => {
      const written = JSON.stringify(value, null, spaces)
      const node = readTree(written)
      expect(node).not.toBeNull()
      // Members called __proto__ are lost by the comparison, not by the reader.
      if (node && !written.includes('__proto__')) expect(JSON.stringify(back(node))).toBe(JSON.stringify(value))
    }),
  )
})

test('whatever text is given, reading it never throws and accepts only JSON', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:0123.eE+-\\utrfalsn \n') }), (source) => {
      const isJson = (() => {
        try {
          JSON.parse(source)
          return true
        } catch {
          return false
        }
      })()
      expect(readTree(source) !== null).toBe(isJson)
    }),
  )
})

test('numbers that a double cannot hold keep their digits', () => {
  expect(readTree('12345678901234567890.10')).toEqual({ is: 'number', written: '12345678901234567890.10' })
})

test('two members of one name are both shown', () => {
  const node = readTree('{"path":"/a","path":"/b"}')
  expect(node && linesOf(node, new Set()).map(({ node: shown }) => 'text' in shown && shown.text)).toEqual([
    false,
    '/a',
    '/b',
  ])
})

test('a text nested without end is given up, not followed', () => {
  expect(readTree('['.repeat(100_000))).toBeNull()
})

test('folding hides what is inside and nothing else', () => {
  const node = tree({ a: { b: 1, c: 2 }, d: 3 })
  const [, a] = linesOf(node, new Set())
  expect(linesOf(node, new Set([a?.path ?? ''])).map(({ name }) => name)).toEqual([null, 'a', 'd'])
})

test('a difference is marked where it is: added, removed, changed', () => {
  const lines = linesOf(
    tree({ same: 1, now: 'x', list: [1, 2] }),
    new Set(),
    tree({ same: 1, now: 'y', gone: {}, list: [1] }),
  )
  const changes = lines.filter(({ change }) => change).map(({ name, change }) => [name, change])
  expect(changes).toEqual([
    ['now', 'changed'],
    ['1', 'added'],
    ['gone', 'removed'],
  ])
})

test('a value compared with itself shows no difference', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      expect(linesOf(tree(value), new Set(), tree(value)).every(({ change }) => change === undefined)).toBe(true)
    }),
  )
})

test('the top level is never folded at first', () => {
  const node = tree(Array.from({ length: 50 }, () => ({ a: 1 })))
  expect(foldedAtFirst(node).has('')).toBe(false)
  expect(membersOf(node)).toHaveLength(50)
})

test.each(['[REDACTED]', '***', '[redacted:token]', 'REDACTED'])('%s is shown as a masked secret', (text) => {
  expect(isMasked(text)).toBe(true)
})

test('an ordinary text is not taken for a masked secret', () => {
  for (const text of ['', 'a redacted report', '**bold**', '*']) expect(isMasked(text)).toBe(false)
})

test('search finds names and values, and nothing when nothing is sought', () => {
  const [, line] = linesOf(tree({ Path: '/etc/passwd' }), new Set())
  expect(line && [isHit(line, 'path'), isHit(line, 'PASSWD'), isHit(line, 'x'), isHit(line, ' ')]).toEqual([
    true,
    true,
    false,
    false,
  ])
})
