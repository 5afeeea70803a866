import { merged, withOtherCase } from './letter-case.ts'
import { type CharacterClass, type CharacterSet, PatternError, type PatternNode, type PlaceTest } from './syntax.ts'

export interface ParsedPattern {
  readonly root: PatternNode
  readonly groups: number
  /** It has look-around, back-references, atomic groups or possessive quantifiers: no linear engine can run it. */
  readonly isCostly: boolean
}

interface Flags {
  readonly ignoreCase: boolean
  readonly multiline: boolean
  readonly dotAll: boolean
  readonly verbose: boolean
  readonly ascii: boolean
}

const nestingMax = 250
const unlimited = Number.POSITIVE_INFINITY
const none: Flags = { ignoreCase: false, multiline: false, dotAll: false, verbose: false, ascii: false }

/** A pattern as Python's `re` reads it, and `(?<name>…)` and `\k<name>` besides. Throws PatternError. */
export function parsePattern(pattern: string): ParsedPattern {
  const points = Array.from(pattern, (character) => character.codePointAt(0) ?? 0)
  const state: State = {
    points,
    at: 0,
    groups: 0,
    names: new Map(),
    open: new Set(),
    widths: new Map(),
    isCostly: false,
    depth: 0,
    groupsBeforeLookBehind: undefined,
  }
  let flags = none
  if (/^\(\?[aimsux]+\)/.test(pattern)) {
    state.at = 2
    flags = readFlags(state, none).flags
  }
  const { node } = readChoice(state, flags)
  if (state.at < points.length) throw new PatternError('unbalanced parenthesis', state.at)
  return { root: node, groups: state.groups, isCostly: state.isCostly }
}

interface State {
  readonly points: readonly number[]
  at: number
  groups: number
  readonly names: Map<string, number>
  readonly open: Set<number>
  readonly widths: Map<number, number | undefined>
  isCostly: boolean
  depth: number
  /** Groups that were there before the outermost look-behind: only these may be referred to inside it. */
  groupsBeforeLookBehind: number | undefined
}

function looksAt(state: State, text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (state.points[state.at + index] !== text.charCodeAt(index)) return false
  }
  return true
}

function take(state: State, text: string): boolean {
  if (!looksAt(state, text)) return false
  state.at += text.length
  return true
}

function readChoice(
  state: State,
  flags: Flags,
): { readonly node: PatternNode; readonly branches: readonly PatternNode[] } {
  const branches = [readSequence(state, flags)]
  while (take(state, '|')) branches.push(readSequence(state, flags))
  const [first] = branches
  return { node: branches.length === 1 && first ? first : { is: 'choice', of: branches }, branches }
}

function readSequence(state: State, flags: Flags): PatternNode {
  const of: PatternNode[] = []
  for (;;) {
    if (flags.verbose) skipLayout(state)
    const point = state.points[state.at]
    if (point === undefined || looksAt(state, '|') || looksAt(state, ')')) break
    const start = state.at
    const atom = readAtom(state, flags)
    if (!atom) continue
    if (flags.verbose) skipLayout(state)
    of.push(readRepeats(state, atom, start, flags))
  }
  const [only] = of
  if (of.length === 1 && only) return only
  return of.length === 0 ? { is: 'empty' } : { is: 'sequence', of }
}

function skipLayout(state: State): void {
  for (;;) {
    const point = state.points[state.at]
    if (point === 0x23) {
      while (state.at < state.points.length && state.points[state.at] !== 0x0a) state.at += 1
    } else if (point === 0x20 || (point !== undefined && point >= 0x09 && point <= 0x0d)) state.at += 1
    else return
  }
}

function readRepeats(state: State, atom: PatternNode, start: number, flags: Flags): PatternNode {
  const count = readCount(state)
  if (!count) return atom
  if (atom.is === 'place') throw new PatternError('nothing to repeat', start)
  const style = take(state, '?') ? 'lazy' : take(state, '+') ? 'possessive' : 'greedy'
  if (style === 'possessive') state.isCostly = true
  if (flags.verbose) skipLayout(state)
  const behind = state.at
  if (readCount(state)) throw new PatternError('multiple repeat', behind)
  return { is: 'repeat', of: atom, ...count, style }
}

function readCount(state: State): { readonly min: number; readonly max: number } | undefined {
  if (take(state, '*')) return { min: 0, max: unlimited }
  if (take(state, '+')) return { min: 1, max: unlimited }
  if (take(state, '?')) return { min: 0, max: 1 }
  const start = state.at
  if (!take(state, '{')) return undefined
  // `{`, `{}` and `{x` are literal, as in Python.
  if (looksAt(state, '}')) {
    state.at = start
    return undefined
  }
  const low = readDigits(state)
  const high = take(state, ',') ? readDigits(state) : low
  if (!take(state, '}')) {
    state.at = start
    return undefined
  }
  const min = low === '' ? 0 : Number(low)
  const max = high === '' ? unlimited : Number(high)
  if (min >= 4_294_967_295 || (Number.isFinite(max) && max >= 4_294_967_295)) {
    throw new PatternError('the repetition number is too large', start)
  }
  if (max < min) throw new PatternError('min repeat greater than max repeat', start)
  return { min, max }
}

function readDigits(state: State): string {
  let digits = ''
  for (;;) {
    const point = state.points[state.at]
    if (point === undefined || point < 0x30 || point > 0x39) return digits
    digits += String.fromCharCode(point)
    state.at += 1
  }
}

/** One element; undefined for a comment. */
function readAtom(state: State, flags: Flags): PatternNode | undefined {
  const start = state.at
  const point = state.points[start] ?? 0
  switch (String.fromCodePoint(point)) {
    case '(':
      return readGroup(state, flags)
    case '[':
      return setNode(readSet(state, flags), flags)
    case '.':
      state.at += 1
      return { is: 'set', set: { isNegative: true, ranges: flags.dotAll ? [] : [[0x0a, 0x0a]], classes: [] } }
    case '^':
      state.at += 1
      return place(flags.multiline ? 'lineStart' : 'start')
    case '$':
      state.at += 1
      return place(flags.multiline ? 'lineEnd' : 'end')
    case '\\':
      return readEscape(state, flags)
    case '*':
    case '+':
    case '?':
      throw new PatternError('nothing to repeat', start)
    case '{':
      if (readCount(state)) throw new PatternError('nothing to repeat', start)
      break
  }
  state.at += 1
  return literal(point, flags)
}

function place(test: PlaceTest): PatternNode {
  return { is: 'place', place: test }
}

function literal(point: number, flags: Flags): PatternNode {
  return setNode({ isNegative: false, ranges: [[point, point]], classes: [] }, flags)
}

function setNode(set: CharacterSet, flags: Flags): PatternNode {
  const ranges = flags.ignoreCase ? withOtherCase(set.ranges, flags.ascii) : merged(set.ranges)
  return { is: 'set', set: { ...set, ranges } }
}

function readGroup(state: State, flags: Flags): PatternNode | undefined {
  const start = state.at
  state.depth += 1
  if (state.depth > nestingMax) throw new PatternError(`groups are nested more than ${nestingMax} deep`, start)
  const node = readGroupBody(state, flags, start)
  state.depth -= 1
  return node
}

function readGroupBody(state: State, flags: Flags, start: number): PatternNode | undefined {
  state.at += 1
  if (!take(state, '?')) return readCapture(state, flags, start)
  if (take(state, 'P<')) return readCapture(state, flags, start, readName(state, '>'))
  if (take(state, 'P=')) return backReference(state, readName(state, ')'), flags, start)
  if (take(state, ':')) return readInner(state, flags, start)
  if (take(state, '#')) {
    while (state.at < state.points.length && !looksAt(state, ')')) state.at += 1
    close(state, start, 'missing ), unterminated comment')
    return undefined
  }
  if (take(state, '=')) return readLook(state, flags, start, false, false)
  if (take(state, '!')) return readLook(state, flags, start, false, true)
  if (take(state, '<=')) return readLook(state, flags, start, true, false)
  if (take(state, '<!')) return readLook(state, flags, start, true, true)
  if (take(state, '<')) return readCapture(state, flags, start, readName(state, '>'))
  if (take(state, '>')) {
    state.isCostly = true
    return { is: 'atomic', of: readInner(state, flags, start) }
  }
  if (take(state, '(')) return readConditional(state, flags, start)
  const inner = readFlags(state, flags)
  if (inner.isScoped) return readInner(state, inner.flags, start)
  throw new PatternError('global flags not at the start of the expression', start)
}

function readInner(state: State, flags: Flags, start: number): PatternNode {
  const { node } = readChoice(state, flags)
  close(state, start)
  // A group of its own, so that a place test inside may be repeated, as Python allows.
  return node.is === 'place' ? { is: 'sequence', of: [node] } : node
}

function close(state: State, start: number, message = 'missing ), unterminated subpattern'): void {
  if (!take(state, ')')) throw new PatternError(message, start)
}

function readCapture(state: State, flags: Flags, start: number, name?: string): PatternNode {
  state.groups += 1
  const index = state.groups
  if (name !== undefined) {
    if (state.names.has(name)) throw new PatternError(`redefinition of group name '${name}'`, start)
    state.names.set(name, index)
  }
  state.open.add(index)
  const of = readInner(state, flags, start)
  state.open.delete(index)
  state.widths.set(index, widthOf(of))
  return { is: 'group', index, of }
}

function readName(state: State, end: '>' | ')'): string {
  const start = state.at
  const stop = end.charCodeAt(0)
  while (state.at < state.points.length && state.points[state.at] !== stop) state.at += 1
  const name = String.fromCodePoint(...state.points.slice(start, Math.min(state.at, start + 200)))
  if (!take(state, end)) throw new PatternError(`missing ${end}, unterminated name`, start)
  if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name)) throw new PatternError('bad character in group name', start)
  return name
}

function readLook(state: State, flags: Flags, start: number, isBehind: boolean, isNegative: boolean): PatternNode {
  state.isCostly = true
  const groupsBefore = state.groupsBeforeLookBehind
  if (isBehind) state.groupsBeforeLookBehind ??= state.groups
  const of = readInner(state, flags, start)
  state.groupsBeforeLookBehind = groupsBefore
  const width = isBehind ? widthOf(of) : 0
  if (width === undefined) throw new PatternError('look-behind requires fixed-width pattern', start)
  return { is: 'look', isBehind, isNegative, of, width }
}

function readConditional(state: State, flags: Flags, start: number): PatternNode {
  state.isCostly = true
  const digits = readDigits(state)
  let index: number | undefined
  if (digits === '') index = state.names.get(readName(state, ')'))
  else {
    index = Number(digits)
    close(state, start)
  }
  if (index === undefined || index < 1 || index > state.groups) throw new PatternError('invalid group reference', start)
  refuseInLookBehind(state, index, start)
  const { branches } = readChoice(state, flags)
  close(state, start)
  const [yes, no, more] = branches
  if (more) throw new PatternError('conditional backref with more than two branches', start)
  return { is: 'conditional', index, yes: yes ?? { is: 'empty' }, no: no ?? { is: 'empty' } }
}

const flagNames: Readonly<Record<string, keyof Flags>> = { i: 'ignoreCase', m: 'multiline', s: 'dotAll', x: 'verbose' }

function readFlags(state: State, flags: Flags): { readonly flags: Flags; readonly isScoped: boolean } {
  const start = state.at
  const end = state.points.findIndex((point, index) => index >= start && (point === 0x29 || point === 0x3a))
  const word = end === -1 ? '' : String.fromCodePoint(...state.points.slice(start, Math.min(end, start + 20)))
  const [on = '', off, more] = word.split('-')
  const isScoped = state.points[end] === 0x3a
  const isKnown =
    /^[aimsux]*$/.test(on) && (off === undefined || (/^[imsx]+$/.test(off) && isScoped)) && more === undefined
  const isBoth = off !== undefined && [...on].some((one) => off.includes(one))
  if (!isKnown || word === '' || isBoth) throw new PatternError('unknown extension or flags behind (?', start)
  if (on.includes('a') && on.includes('u')) throw new PatternError("flags 'a' and 'u' are incompatible", start)
  state.at = end + 1
  const made: Record<keyof Flags, boolean> = { ...flags }
  for (const letter of on) {
    const name = flagNames[letter]
    if (name) made[name] = true
    else made.ascii = letter === 'a'
  }
  for (const letter of off ?? '') {
    const name = flagNames[letter]
    if (name) made[name] = false
  }
  return { flags: made, isScoped }
}

function readEscape(state: State, flags: Flags): PatternNode {
  const start = state.at
  const point = state.points[start + 1]
  if (point === undefined) throw new PatternError('bad escape (end of pattern)', start)
  const letter = String.fromCodePoint(point)
  const classes = classOf(letter, flags)
  if (classes) {
    state.at += 2
    return { is: 'set', set: classes }
  }
  const test = placeOf(letter, flags)
  if (test) {
    state.at += 2
    return place(test)
  }
  if (letter === 'k' && state.points[start + 2] === 0x3c) {
    state.at += 3
    return backReference(state, readName(state, '>'), flags, start)
  }
  if (point >= 0x31 && point <= 0x39) return readNumbered(state, flags)
  return literal(readCharacterEscape(state, false), flags)
}

function placeOf(letter: string, flags: Flags): PlaceTest | undefined {
  switch (letter) {
    case 'A':
      return 'start'
    case 'Z':
    case 'z':
      return 'veryEnd'
    case 'b':
      return flags.ascii ? 'asciiWordEdge' : 'wordEdge'
    case 'B':
      return flags.ascii ? 'notAsciiWordEdge' : 'notWordEdge'
    default:
      return undefined
  }
}

const asciiClasses: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  d: [[0x30, 0x39]],
  s: [
    [0x09, 0x0d],
    [0x20, 0x20],
  ],
  w: [
    [0x30, 0x39],
    [0x41, 0x5a],
    [0x5f, 0x5f],
    [0x61, 0x7a],
  ],
}
const unicodeClasses: Readonly<Record<string, CharacterClass>> = {
  d: 'digit',
  D: 'notDigit',
  s: 'space',
  S: 'notSpace',
  w: 'word',
  W: 'notWord',
}

function classOf(letter: string, flags: Flags): CharacterSet | undefined {
  const unicode = unicodeClasses[letter]
  if (!unicode) return undefined
  if (!flags.ascii) return { isNegative: false, ranges: [], classes: [unicode] }
  return { isNegative: letter < 'a', ranges: asciiClasses[letter.toLowerCase()] ?? [], classes: [] }
}

/** `\1` to `\99`, or three octal digits. */
function readNumbered(state: State, flags: Flags): PatternNode {
  const start = state.at
  const digits = String.fromCodePoint(...state.points.slice(start + 1, start + 4))
  const octal = /^[0-3][0-7]{2}/.exec(digits)?.[0] ?? (/^[4-7][0-7]{2}/.test(digits) ? 'too large' : undefined)
  if (octal === 'too large') throw new PatternError('octal escape value outside of range 0-0o377', start)
  if (octal !== undefined) {
    state.at += 4
    return literal(Number.parseInt(octal, 8), flags)
  }
  const number = /^\d{1,2}/.exec(digits)?.[0] ?? ''
  state.at += 1 + number.length
  return reference(state, Number(number), flags, start)
}

function backReference(state: State, name: string, flags: Flags, start: number): PatternNode {
  const index = state.names.get(name)
  if (index === undefined) throw new PatternError(`unknown group name '${name}'`, start)
  return reference(state, index, flags, start)
}

function reference(state: State, index: number, flags: Flags, start: number): PatternNode {
  if (index > state.groups) throw new PatternError(`invalid group reference ${index}`, start)
  if (state.open.has(index)) throw new PatternError('cannot refer to an open group', start)
  refuseInLookBehind(state, index, start)
  state.isCostly = true
  return { is: 'backReference', index, ignoresCase: flags.ignoreCase, width: state.widths.get(index) }
}

function refuseInLookBehind(state: State, index: number, start: number): void {
  const before = state.groupsBeforeLookBehind
  if (before === undefined) return
  if (state.open.has(index)) throw new PatternError('cannot refer to an open group', start)
  if (index > before) throw new PatternError('cannot refer to group defined in the same lookbehind subpattern', start)
}

const controls: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 }

function readCharacterEscape(state: State, isInSet: boolean): number {
  const start = state.at
  const point = state.points[start + 1]
  if (point === undefined) throw new PatternError('bad escape (end of pattern)', start)
  const letter = String.fromCodePoint(point)
  state.at += 2
  if (isInSet && letter === 'b') return 8
  const control = controls[letter]
  if (control !== undefined) return control
  if (letter === 'x') return readHex(state, 2, start)
  if (letter === 'u') return readHex(state, 4, start)
  if (letter === 'U') return readHex(state, 8, start)
  if (letter === '0' || (isInSet && point >= 0x30 && point <= 0x37)) {
    state.at -= 1
    let octal = ''
    while (octal.length < 3 && /^[0-7]$/.test(String.fromCodePoint(state.points[state.at] ?? 0))) {
      octal += String.fromCodePoint(state.points[state.at] ?? 0)
      state.at += 1
    }
    const value = Number.parseInt(octal, 8)
    if (value > 0o377) throw new PatternError('octal escape value outside of range 0-0o377', start)
    return value
  }
  if (/^[A-Za-z0-9]$/.test(letter)) throw new PatternError(`bad escape \\${letter}`, start)
  return point
}

function readHex(state: State, length: number, start: number): number {
  const digits = String.fromCodePoint(...state.points.slice(state.at, state.at + length))
  if (digits.length !== length || !/^[0-9a-fA-F]+$/.test(digits)) throw new PatternError('incomplete escape', start)
  state.at += length
  const value = Number.parseInt(digits, 16)
  if (value > 0x10ffff) throw new PatternError('bad escape: no such character', start)
  return value
}

function readSet(state: State, flags: Flags): CharacterSet {
  const start = state.at
  state.at += 1
  const isNegative = take(state, '^')
  const ranges: (readonly [number, number])[] = []
  const classes: CharacterClass[] = []
  const first = state.at
  for (;;) {
    const point = state.points[state.at]
    if (point === undefined) throw new PatternError('unterminated character set', start)
    if (point === 0x5d && state.at !== first) break
    const from = readMember(state, flags)
    const isRange = looksAt(state, '-') && state.points[state.at + 1] !== 0x5d
    if (!isRange) {
      add(from)
      continue
    }
    const dash = state.at
    state.at += 1
    if (state.points[state.at] === undefined) throw new PatternError('unterminated character set', start)
    const to = readMember(state, flags)
    if (typeof from !== 'number' || typeof to !== 'number' || to < from)
      throw new PatternError('bad character range', dash)
    ranges.push([from, to])
  }
  state.at += 1
  return { isNegative, ranges, classes }

  function add(member: number | CharacterSet): void {
    if (typeof member === 'number') ranges.push([member, member])
    else if (member.isNegative) ranges.push(...complement(member.ranges))
    else {
      ranges.push(...member.ranges)
      classes.push(...member.classes)
    }
  }
}

function readMember(state: State, flags: Flags): number | CharacterSet {
  const point = state.points[state.at] ?? 0
  if (point !== 0x5c) {
    state.at += 1
    return point
  }
  const classes = classOf(String.fromCodePoint(state.points[state.at + 1] ?? 0), flags)
  if (!classes) return readCharacterEscape(state, true)
  state.at += 2
  return classes
}

function complement(ranges: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  const made: (readonly [number, number])[] = []
  let from = 0
  for (const [low, high] of merged(ranges)) {
    if (low > from) made.push([from, low - 1])
    from = high + 1
  }
  if (from <= 0x10ffff) made.push([from, 0x10ffff])
  return made
}

/** How many characters a node takes, when it is always the same number. */
function widthOf(node: PatternNode): number | undefined {
  switch (node.is) {
    case 'empty':
    case 'place':
    case 'look':
      return 0
    case 'set':
      return 1
    case 'group':
    case 'atomic':
      return widthOf(node.of)
    case 'sequence':
      return node.of.reduce<number | undefined>((sum, one) => plus(sum, widthOf(one)), 0)
    case 'choice':
      return same(node.of.map(widthOf))
    case 'conditional':
      return same([widthOf(node.yes), widthOf(node.no)])
    case 'repeat': {
      const width = widthOf(node.of)
      if (width === 0) return 0
      return width !== undefined && node.min === node.max ? width * node.min : undefined
    }
    case 'backReference':
      return node.width
  }
}

function plus(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b
}

function same(widths: readonly (number | undefined)[]): number | undefined {
  return widths.every((width) => width === widths[0]) ? widths[0] : undefined
}
