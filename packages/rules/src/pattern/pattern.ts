import { RE2JS } from 're2js'
import { type ParsedPattern, parsePattern } from './parse-pattern.ts'
import { type Program, toProgram } from './program.ts'
import { type Budget, runProgram } from './run-program.ts'
import { toRe2 } from './to-re2.ts'

export type PatternAnswer = 'match' | 'none' | 'exhausted'

/** A pattern of a rule, ready to be asked. It never hangs, whatever the text. */
export interface Pattern {
  readonly source: string
  /** Whether it is found anywhere in the first 10,000 characters of the text. */
  readonly test: (text: string) => PatternAnswer
  /** Every occurrence in the whole text replaced; undefined when the budget ran out. */
  readonly replace: (text: string, replacement: string) => string | undefined
}

const textCharactersMax = 10_000
const costlySteps = 100_000
/** For a pattern that is linear but cannot be told to RE2: every pair of place and instruction of any sane one. */
const regularSteps = 5_000_000

/** Throws PatternError when Python would refuse the pattern. */
export function compilePattern(source: string): Pattern {
  const parsed = parsePattern(source)
  return patternFrom(source, () => parsed)
}

/** For a pattern that was checked before: nothing is done until it is asked, since most patterns never are. */
export function deferPattern(source: string): Pattern {
  return patternFrom(source, () => parsePattern(source))
}

function patternFrom(source: string, parse: () => ParsedPattern): Pattern {
  let engines: Engines | undefined
  const ready = (): Engines => {
    engines ??= makeEngines(parse())
    return engines
  }
  return {
    source,
    test: (text) => testWith(ready(), cut(text)),
    replace: (text, replacement) => replaceWith(ready(), text, replacement),
  }
}

/** Of such a program even the longest text leaves some of the budget: no instruction is tried at one place more than twice. */
const safeInstructionsMax = 240

/** Whether there may be a text on which the pattern's budget runs out. */
export function mayExhaust(source: string): boolean {
  const { root, groups, isCostly } = parsePattern(source)
  if (isCostly) return true
  const program = toProgram(root, groups)
  return !program.isRegular || program.instructions.length > safeInstructionsMax
}

interface Engines {
  readonly linear: RE2JS | undefined
  readonly needsAscii: boolean
  readonly program: () => Program
}

function makeEngines(parsed: ParsedPattern): Engines {
  const re2 = parsed.isCostly ? undefined : toRe2(parsed.root)
  let program: Program | undefined
  return {
    linear: re2 && compileLinear(re2.source),
    needsAscii: re2?.needsAscii === true,
    program: () => {
      program ??= toProgram(parsed.root, parsed.groups)
      return program
    },
  }
}

function compileLinear(source: string): RE2JS | undefined {
  try {
    return RE2JS.compile(source)
  } catch {
    // Such as repeats that multiply beyond RE2's limit: our own machine runs those, within its budget.
    return undefined
  }
}

const notAscii = /[^\0-\u007F]/

function testWith({ linear, needsAscii, program }: Engines, text: string): PatternAnswer {
  // Python finds no `\B` in an empty text, RE2 does.
  if (linear && text !== '' && !(needsAscii && notAscii.test(text))) return linear.test(text) ? 'match' : 'none'
  const code = program()
  return runProgram(code, pointsOf(text), 0, budgetFor(code)).is
}

function replaceWith({ program }: Engines, text: string, replacement: string): string | undefined {
  const code = program()
  const points = pointsOf(text)
  const budget = { steps: budgetFor(code).steps + points.length * 50 }
  const parts: string[] = []
  let from = 0
  let searchFrom = 0
  while (searchFrom <= points.length) {
    const found = runProgram(code, points, searchFrom, budget)
    if (found.is === 'exhausted') return undefined
    if (found.is === 'none') break
    // An empty match hides nothing and would put a mark between all letters.
    if (found.end > found.start) {
      parts.push(textOf(points, from, found.start), replacement)
      from = found.end
    }
    searchFrom = found.end > found.start ? found.end : found.end + 1
  }
  parts.push(textOf(points, from, points.length))
  return parts.join('')
}

function budgetFor(program: Program): Budget {
  return { steps: program.isRegular ? regularSteps : costlySteps }
}

/** Code points, not UTF-16 halves: what Python counts. */
function cut(text: string): string {
  if (text.length <= textCharactersMax) return text
  let units = 0
  for (let count = 0; count < textCharactersMax && units < text.length; count += 1) {
    units += (text.codePointAt(units) ?? 0) > 0xffff ? 2 : 1
  }
  return text.slice(0, units)
}

function pointsOf(text: string): Int32Array {
  const points = new Int32Array(text.length)
  let count = 0
  for (let at = 0; at < text.length; count += 1) {
    const point = text.codePointAt(at) ?? 0
    points[count] = point
    at += point > 0xffff ? 2 : 1
  }
  return points.subarray(0, count)
}

function textOf(points: Int32Array, from: number, to: number): string {
  const parts: string[] = []
  for (let at = from; at < to; at += 4096) {
    parts.push(String.fromCodePoint(...points.subarray(at, Math.min(to, at + 4096))))
  }
  return parts.join('')
}
