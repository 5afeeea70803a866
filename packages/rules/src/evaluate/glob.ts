import { isInRanges } from './ranges.ts'

type Piece =
  | { readonly is: 'any' }
  | { readonly is: 'one' }
  | { readonly is: 'set'; readonly isNegative: boolean; readonly ranges: readonly (readonly [number, number])[] }
  | { readonly is: 'point'; readonly point: number }

export type Glob = (text: string) => boolean

/** A pattern that is a name: it matches itself alone. */
export function isExactGlob(pattern: string): boolean {
  return !/[*?[]/.test(pattern)
}

/** Python's fnmatch on POSIX: whole text, case matters, `*` crosses slashes, an open `[` is itself. Linear in the text per star. */
export function compileGlob(pattern: string): Glob {
  if (pattern === '*') return () => true
  if (isExactGlob(pattern)) return (text) => text === pattern
  const pieces = parse(Array.from(pattern, (character) => character.codePointAt(0) ?? 0))
  return (text) =>
    matches(
      pieces,
      Array.from(text, (character) => character.codePointAt(0) ?? 0),
    )
}

function parse(points: readonly number[]): readonly Piece[] {
  const pieces: Piece[] = []
  for (let at = 0; at < points.length; at += 1) {
    const point = points[at] ?? 0
    if (point === 0x2a) {
      if (pieces.at(-1)?.is !== 'any') pieces.push({ is: 'any' })
    } else if (point === 0x3f) pieces.push({ is: 'one' })
    else if (point === 0x5b) {
      const end = endOfSet(points, at)
      if (end === -1) pieces.push({ is: 'point', point })
      else {
        pieces.push(parseSet(points.slice(at + 1, end)))
        at = end
      }
    } else pieces.push({ is: 'point', point })
  }
  return pieces
}

/** A `]` directly behind `[` or `[!` is a member. */
function endOfSet(points: readonly number[], start: number): number {
  let at = start + 1
  if (points[at] === 0x21) at += 1
  if (points[at] === 0x5d) at += 1
  return points.indexOf(0x5d, at)
}

function parseSet(inside: readonly number[]): Piece {
  const isNegative = inside[0] === 0x21
  const members = isNegative ? inside.slice(1) : inside
  const ranges: (readonly [number, number])[] = []
  for (let at = 0; at < members.length; at += 1) {
    const low = members[at] ?? 0
    const high = members[at + 2]
    if (members[at + 1] === 0x2d && high !== undefined) {
      // A range the wrong way round holds nothing.
      if (low <= high) ranges.push([low, high])
      at += 2
    } else ranges.push([low, low])
  }
  return { is: 'set', isNegative, ranges }
}

/** Only the last star is ever reconsidered, so there is nothing to explode. */
function matches(pieces: readonly Piece[], points: readonly number[]): boolean {
  let piece = 0
  let at = 0
  let star = -1
  let starAt = 0
  while (at < points.length) {
    const current = pieces[piece]
    if (current?.is === 'any') {
      star = piece
      starAt = at
      piece += 1
    } else if (current && matchesOne(current, points[at] ?? 0)) {
      piece += 1
      at += 1
    } else if (star !== -1) {
      piece = star + 1
      starAt += 1
      at = starAt
    } else return false
  }
  while (pieces[piece]?.is === 'any') piece += 1
  return piece === pieces.length
}

function matchesOne(piece: Piece, point: number): boolean {
  switch (piece.is) {
    case 'any':
    case 'one':
      return true
    case 'point':
      return piece.point === point
    case 'set':
      return isInRanges(piece.ranges, point) !== piece.isNegative
  }
}
