import type { CharacterClass, CharacterSet, PatternNode, PlaceTest } from './syntax.ts'

export interface Re2Source {
  readonly source: string
  /** A Unicode word edge is RE2's own on ASCII text only. */
  readonly needsAscii: boolean
}

/**
 * The same pattern for the linear engine, when it can say the same: undefined when it cannot. What it finds is the same;
 * how far a match reaches may differ where `$` stands before a final line feed, so spans are not taken from it.
 */
export function toRe2(root: PatternNode): Re2Source | undefined {
  const made = { needsAscii: false }
  const source = write(root, true, made)
  return source === undefined ? undefined : { source, needsAscii: made.needsAscii }
}

interface Made {
  needsAscii: boolean
}

/** `isLast`: nothing of the pattern can come behind this node. */
function write(node: PatternNode, isLast: boolean, made: Made): string | undefined {
  switch (node.is) {
    case 'empty':
      return '(?:)'
    case 'set':
      return writeSet(node.set)
    case 'sequence': {
      const last = node.of.length - 1
      return joined(
        node.of.map((one, index) => write(one, isLast && index === last, made)),
        '',
      )
    }
    case 'choice': {
      const choices = joined(
        node.of.map((one) => write(one, isLast, made)),
        '|',
      )
      return choices === undefined ? undefined : `(?:${choices})`
    }
    case 'group':
      return write(node.of, isLast, made)
    case 'place':
      return writePlace(node.place, isLast, made)
    case 'repeat': {
      if (node.style === 'possessive' || node.min > 1000 || (node.max > 1000 && Number.isFinite(node.max)))
        return undefined
      const of = write(node.of, false, made)
      if (of === undefined) return undefined
      return `(?:${of}){${node.min},${Number.isFinite(node.max) ? node.max : ''}}`
    }
    case 'look':
    case 'atomic':
    case 'backReference':
    case 'conditional':
      return undefined
  }
}

function joined(parts: readonly (string | undefined)[], glue: string): string | undefined {
  return parts.includes(undefined) ? undefined : parts.join(glue)
}

function writePlace(place: PlaceTest, isLast: boolean, made: Made): string | undefined {
  switch (place) {
    case 'start':
      return '\\A'
    case 'veryEnd':
      return '\\z'
    case 'end':
      // Python's `$` also stands before a final line feed. RE2 cannot look ahead, but may take it where nothing follows.
      return isLast ? '(?:\\n?\\z)' : undefined
    case 'lineStart':
      return '(?m:^)'
    case 'lineEnd':
      return '(?m:$)'
    case 'asciiWordEdge':
      return '\\b'
    case 'notAsciiWordEdge':
      return '\\B'
    case 'wordEdge':
      made.needsAscii = true
      return '\\b'
    case 'notWordEdge':
      made.needsAscii = true
      return '\\B'
  }
}

const classes: Readonly<Record<CharacterClass, string>> = {
  digit: '\\p{Nd}',
  notDigit: '\\P{Nd}',
  word: '\\p{L}\\p{N}_',
  notWord: '',
  space:
    '\\x09-\\x0d\\x1c-\\x20\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}',
  notSpace: '',
}

function writeSet({ isNegative, ranges, classes: named }: CharacterSet): string | undefined {
  const [only] = named
  if (only && named.length === 1 && ranges.length === 0 && (only === 'notWord' || only === 'notSpace')) {
    return `[${isNegative ? '' : '^'}${classes[only === 'notWord' ? 'word' : 'space']}]`
  }
  // A negated class inside a larger set has no spelling here.
  if (named.includes('notWord') || named.includes('notSpace')) return undefined
  const inside = ranges.map(writeRange).join('') + named.map((one) => classes[one]).join('')
  if (inside === '') return isNegative ? '(?s:.)' : '[^\\x00-\\x{10FFFF}]'
  return `[${isNegative ? '^' : ''}${inside}]`
}

function writeRange([low, high]: readonly [number, number]): string {
  return low === high ? writePoint(low) : `${writePoint(low)}-${writePoint(high)}`
}

function writePoint(point: number): string {
  return `\\x{${point.toString(16)}}`
}
