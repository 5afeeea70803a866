/** A pattern as a tree. Case-insensitivity and verbose layout are already worked in: no node depends on a flag. */
export type PatternNode =
  | { readonly is: 'empty' }
  | { readonly is: 'set'; readonly set: CharacterSet }
  | { readonly is: 'sequence'; readonly of: readonly PatternNode[] }
  | { readonly is: 'choice'; readonly of: readonly PatternNode[] }
  | {
      readonly is: 'repeat'
      readonly of: PatternNode
      readonly min: number
      readonly max: number
      readonly style: 'greedy' | 'lazy' | 'possessive'
    }
  | { readonly is: 'group'; readonly index: number; readonly of: PatternNode }
  | { readonly is: 'place'; readonly place: PlaceTest }
  | {
      readonly is: 'look'
      readonly isBehind: boolean
      readonly isNegative: boolean
      readonly of: PatternNode
      readonly width: number
    }
  | { readonly is: 'atomic'; readonly of: PatternNode }
  | {
      readonly is: 'backReference'
      readonly index: number
      readonly ignoresCase: boolean
      /** Of the group referred to, when it is always the same. */
      readonly width: number | undefined
    }
  | { readonly is: 'conditional'; readonly index: number; readonly yes: PatternNode; readonly no: PatternNode }

/** Tests of a place between characters. `end` is Python's `$`: at the end or before a final line feed. */
export type PlaceTest =
  | 'start'
  | 'end'
  | 'veryEnd'
  | 'lineStart'
  | 'lineEnd'
  | 'wordEdge'
  | 'notWordEdge'
  | 'asciiWordEdge'
  | 'notAsciiWordEdge'

export type CharacterClass = 'digit' | 'notDigit' | 'space' | 'notSpace' | 'word' | 'notWord'

export interface CharacterSet {
  readonly isNegative: boolean
  readonly ranges: readonly (readonly [number, number])[]
  /** Unicode classes; those of the ASCII flag are written as ranges. */
  readonly classes: readonly CharacterClass[]
}

export class PatternError extends Error {
  readonly offset: number
  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

const wordCharacter = /[\p{L}\p{N}_]/u
const digit = /\p{Nd}/u
// Python's str.isspace, which has the separators U+001C to U+001F and not the byte order mark.
const space = /[\t-\r\u001C- \u0085\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]/

export function isWord(point: number): boolean {
  if (point < 128) return isAsciiWord(point)
  return wordCharacter.test(String.fromCodePoint(point))
}

export function isAsciiWord(point: number): boolean {
  return (point >= 97 && point <= 122) || (point >= 65 && point <= 90) || (point >= 48 && point <= 57) || point === 95
}

/** Built once for each set of a pattern: a table for ASCII, the plain definition beyond it. */
export function characterTest(set: CharacterSet): (point: number) => boolean {
  const table = new Uint8Array(128)
  for (let point = 0; point < 128; point += 1) table[point] = isInSet(set, point) ? 1 : 0
  return (point) => (point < 128 ? table[point] === 1 : isInSet(set, point))
}

function isInSet({ isNegative, ranges, classes }: CharacterSet, point: number): boolean {
  const isIn =
    ranges.some(([low, high]) => point >= low && point <= high) || classes.some((one) => isInClass(one, point))
  return isIn !== isNegative
}

function isInClass(name: CharacterClass, point: number): boolean {
  switch (name) {
    case 'word':
      return isWord(point)
    case 'notWord':
      return !isWord(point)
    case 'digit':
      return digit.test(String.fromCodePoint(point))
    case 'notDigit':
      return !digit.test(String.fromCodePoint(point))
    case 'space':
      return space.test(String.fromCodePoint(point))
    case 'notSpace':
      return !space.test(String.fromCodePoint(point))
  }
}
