import type { ConditionLine } from '@countersign/wire'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Reason } from '../../ui/why.tsx'
import { treeOf } from './condition-tree.ts'

const line = (depth: number, words: string, held: boolean | null = true): ConditionLine => ({
  depth,
  is: 'test',
  selector: null,
  operator: null,
  operand: null,
  value: null,
  is_missing: false,
  held,
  problem: null,
  words,
  line: null,
})

test('a condition is drawn as deep as it is written', () => {
  const tree = treeOf([line(0, 'any'), line(1, 'all'), line(2, 'a'), line(2, 'b'), line(1, 'c', false), line(0, 'd')])
  expect(tree.map(({ words }) => words)).toEqual(['any', 'd'])
  expect(tree[0]?.reasons?.map(({ words }) => words)).toEqual(['all', 'c'])
  expect(tree[0]?.reasons?.[0]?.reasons?.map(({ words }) => words)).toEqual(['a', 'b'])
})

test('what nobody looked at holds neither way and says so', () => {
  expect(treeOf([line(0, 'args.path contains .env', null)])).toMatchObject([
    { words: 'args.path contains .env (not looked at)' },
  ])
  expect(treeOf([line(0, 'a', null)])[0]?.holds).toBeUndefined()
})

test('however the depths go, every line is in the tree once and in its order', () => {
  const flat = (tree: readonly Reason[]): unknown[] =>
    tree.flatMap(({ words, reasons = [] }) => [words, ...flat(reasons)])
  fc.assert(
    fc.property(fc.array(fc.nat(6)), (depths) => {
      const lines = depths.map((depth, index) => line(depth, String(index)))
      expect(flat(treeOf(lines))).toEqual(lines.map(({ words }) => words))
    }),
  )
})
