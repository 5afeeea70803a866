import type { ConditionLine } from '@countersign/wire'
import type { Reason } from '../../ui/why.tsx'

/** Lines in reading order with a depth, as the tree they describe. */
export function treeOf(lines: readonly ConditionLine[]): readonly Reason[] {
  const roots: Grown[] = []
  const open: { readonly depth: number; readonly reason: Grown }[] = []
  for (const [index, line] of lines.entries()) {
    const reason: Grown = {
      id: String(index),
      words: wordsOf(line),
      ...(line.held !== null && { holds: line.held }),
      reasons: [],
    }
    while ((open.at(-1)?.depth ?? -1) >= line.depth) open.pop()
    const above = open.at(-1)?.reason.reasons ?? roots
    above.push(reason)
    open.push({ depth: line.depth, reason })
  }
  return roots
}

type Grown = Reason & { readonly reasons: Grown[] }

function wordsOf({ words, held, problem }: ConditionLine): string {
  if (problem !== null) return `${words}: ${problem}`
  return held === null ? `${words} (not looked at)` : words
}
