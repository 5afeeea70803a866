import { parsePattern } from './parse-pattern.ts'
import type { PatternNode } from './syntax.ts'

export interface RequiredLiterals {
  /** One of these is in every text that matches. */
  readonly literals: readonly string[]
  /** They are lower-case ASCII and stand for either case. */
  readonly ignoresCase: boolean
}

const choicesMax = 32

/** Texts of which a match must contain one; undefined when there is no such list. */
export function requiredLiterals(source: string): RequiredLiterals | undefined {
  const { root } = parsePattern(source)
  for (const ignoresCase of [false, true]) {
    const literals = required(root, ignoresCase)
    if (literals && literals.length <= choicesMax) return { literals, ignoresCase }
  }
  return undefined
}

function required(node: PatternNode, ignoresCase: boolean): readonly string[] | undefined {
  switch (node.is) {
    case 'set': {
      const letter = letterOf(node, ignoresCase)
      return letter === undefined ? undefined : [letter]
    }
    case 'sequence':
      return bestOf(node.of, ignoresCase)
    case 'choice': {
      const each = node.of.map((one) => required(one, ignoresCase))
      return each.every((one) => one !== undefined) ? each.flat() : undefined
    }
    case 'group':
    case 'atomic':
      return required(node.of, ignoresCase)
    case 'repeat':
      return node.min > 0 ? required(node.of, ignoresCase) : undefined
    default:
      return undefined
  }
}

/** The part of a sequence whose shortest literal is longest: it is found least often. */
function bestOf(nodes: readonly PatternNode[], ignoresCase: boolean): readonly string[] | undefined {
  let best: readonly string[] | undefined
  const offer = (literals: readonly string[] | undefined): void => {
    if (literals && literals.length <= choicesMax && shortest(literals) > (best ? shortest(best) : 0)) best = literals
  }
  let run = ''
  for (const node of nodes) {
    const letter = node.is === 'set' ? letterOf(node, ignoresCase) : undefined
    if (letter !== undefined) {
      run += letter
      continue
    }
    if (run !== '') offer([run])
    run = ''
    offer(required(node, ignoresCase))
  }
  if (run !== '') offer([run])
  return best
}

function shortest(literals: readonly string[]): number {
  return Math.min(...literals.map((one) => one.length))
}

function letterOf({ set }: Extract<PatternNode, { is: 'set' }>, ignoresCase: boolean): string | undefined {
  if (set.isNegative || set.classes.length > 0) return undefined
  const [first, second] = set.ranges
  if (!first || first[0] !== first[1]) return undefined
  const letter = String.fromCodePoint(first[0])
  if (set.ranges.length === 1) return ignoresCase ? asciiLower(letter) : letter
  if (!ignoresCase) return undefined
  // A letter in both cases, and the few beyond ASCII that go with it; texts with those are not looked up.
  const lower = asciiLower(letter)
  const others = set.ranges.filter(([low]) => low < 128)
  const isPair = others.length === 2 && second !== undefined && second[0] === second[1]
  return isPair && lower === String.fromCodePoint(second[0]) ? lower : undefined
}

/** Only what has one lower-case form in every reading. */
function asciiLower(letter: string): string | undefined {
  return letter < '\u0080' ? letter.toLowerCase() : undefined
}
