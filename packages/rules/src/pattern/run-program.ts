import { isSameLetter } from './letter-case.ts'
import type { Instruction, Program } from './program.ts'
import { isAsciiWord, isWord, type PlaceTest } from './syntax.ts'

export type Found =
  | { readonly is: 'match'; readonly start: number; readonly end: number }
  | { readonly is: 'none' }
  /** The step budget ran out: nobody knows. */
  | { readonly is: 'exhausted' }

export interface Budget {
  steps: number
}

const memoryBitsMax = 2 ** 28

/** Thrown through nested look-around. */
const exhausted = new Error('step budget exhausted')

/**
 * Leftmost match at or behind `from`. Backtracks on an explicit stack, so neither the text nor the pattern can exhaust
 * the call stack. For a regular program a failed pair of instruction and place is not tried again, which makes the search
 * linear; for any other the budget ends it.
 */
export function runProgram(program: Program, points: Int32Array, from: number, budget: Budget): Found {
  const width = points.length + 1
  const isSmall = program.instructions.length * width <= memoryBitsMax
  const failed =
    program.isRegular && isSmall ? new Uint32Array((program.instructions.length * width + 31) >>> 5) : undefined
  const run: Run = { points, budget, failed, slots: new Int32Array(program.slots) }
  try {
    for (let start = from; start <= points.length; start += 1) {
      run.slots.fill(-1)
      budget.steps -= run.slots.length >> 6
      const end = matchAt(program.instructions, start, run, failed)
      if (end !== -1) return { is: 'match', start, end }
    }
    return { is: 'none' }
  } catch (cause) {
    if (cause !== exhausted) throw cause
    return { is: 'exhausted' }
  }
}

interface Run {
  readonly points: Int32Array
  readonly budget: Budget
  readonly failed: Uint32Array | undefined
  /** Groups (start, end), then registers of counted repeats. */
  readonly slots: Int32Array
}

/** Where a match that begins here ends, or -1. Slots are left as the match set them, or as they were. */
function matchAt(code: readonly Instruction[], start: number, run: Run, failed: Uint32Array | undefined): number {
  const { points, slots, budget } = run
  const width = points.length + 1
  // Pairs: a place to come back to (instruction, position), or a slot to put back (-1 - slot, old value).
  const stack: number[] = []
  let pc = 0
  let at = start
  for (;;) {
    budget.steps -= 1
    if (budget.steps < 0) throw exhausted
    const instruction = code[pc]
    let goesOn = true
    if (failed) {
      const bit = pc * width + at
      const word = failed[bit >>> 5] ?? 0
      if ((word >>> (bit & 31)) & 1) goesOn = false
      else failed[bit >>> 5] = word | (1 << (bit & 31))
    }
    if (goesOn && instruction) {
      switch (instruction.is) {
        case 'found':
          return at
        case 'set':
          if (at < points.length && instruction.test(points[at] ?? 0)) {
            at += 1
            pc += 1
          } else goesOn = false
          break
        case 'place':
          if (isAt(instruction.place, at, points)) pc += 1
          else goesOn = false
          break
        case 'split':
          stack.push(instruction.second, at)
          pc = instruction.first
          break
        case 'jump':
          pc = instruction.to
          break
        case 'save':
          set(instruction.slot, at)
          pc += 1
          break
        case 'clear':
          set(instruction.slot, 0)
          set(instruction.slot + 1, -1)
          pc += 1
          break
        case 'count': {
          const rounds = slots[instruction.slot] ?? 0
          const tookNothing = slots[instruction.slot + 1] === at
          const mayStop = rounds >= instruction.min
          const mayGo = rounds < instruction.max && !(tookNothing && mayStop)
          if (mayStop && (instruction.isLazy || !mayGo)) {
            // A lazy repeat that is asked for more comes back through its own body.
            if (mayGo) stack.push(-1_000_000 - pc, at)
            pc = instruction.exit
          } else if (mayGo) {
            if (mayStop) stack.push(instruction.exit, at)
            enter(instruction.slot, rounds)
            pc += 1
          } else goesOn = false
          break
        }
        case 'look': {
          const from = at - instruction.width
          const before = copySlots()
          const isFound = from >= 0 && matchAt(instruction.body, from, run, undefined) !== -1
          if (isFound === instruction.isNegative) {
            slots.set(before)
            goesOn = false
          } else {
            if (instruction.isNegative) slots.set(before)
            else noteChanges(before)
            pc += 1
          }
          break
        }
        case 'atomic': {
          const before = copySlots()
          const end = matchAt(instruction.body, at, run, undefined)
          if (end === -1) goesOn = false
          else {
            noteChanges(before)
            at = end
            pc += 1
          }
          break
        }
        case 'backReference': {
          const length = referenceLength(instruction.index, instruction.ignoresCase)
          if (length === -1) goesOn = false
          else {
            at += length
            pc += 1
          }
          break
        }
        case 'conditional':
          pc = (slots[2 * instruction.index + 1] ?? -1) === -1 ? instruction.no : pc + 1
          break
      }
    }
    if (!goesOn && !comeBack()) return -1
  }

  function copySlots(): Int32Array {
    budget.steps -= slots.length >> 4
    return slots.slice()
  }

  function set(slot: number, value: number): void {
    stack.push(-1 - slot, slots[slot] ?? -1)
    slots[slot] = value
  }

  function enter(slot: number, rounds: number): void {
    set(slot, rounds + 1)
    set(slot + 1, at)
  }

  function noteChanges(before: Int32Array): void {
    for (let slot = 0; slot < slots.length; slot += 1) {
      if (before[slot] !== slots[slot]) stack.push(-1 - slot, before[slot] ?? -1)
    }
  }

  function comeBack(): boolean {
    while (stack.length > 0) {
      const value = stack.pop() ?? 0
      const place = stack.pop() ?? 0
      if (place >= 0) {
        pc = place
        at = value
        return true
      }
      if (place <= -1_000_000) {
        at = value
        const lazy = -1_000_000 - place
        const instruction = code[lazy]
        if (instruction?.is !== 'count') continue
        enter(instruction.slot, slots[instruction.slot] ?? 0)
        pc = lazy + 1
        return true
      }
      slots[-1 - place] = value
    }
    return false
  }

  function referenceLength(index: number, ignoresCase: boolean): number {
    const from = slots[2 * index] ?? -1
    const to = slots[2 * index + 1] ?? -1
    if (from === -1 || to === -1 || at + (to - from) > points.length) return -1
    for (let offset = 0; offset < to - from; offset += 1) {
      budget.steps -= 1
      const [a, b] = [points[from + offset] ?? 0, points[at + offset] ?? 0]
      if (a !== b && !(ignoresCase && isSameLetter(a, b))) return -1
    }
    return to - from
  }
}

const lineFeed = 0x0a

function isAt(place: PlaceTest, at: number, points: Int32Array): boolean {
  switch (place) {
    case 'start':
      return at === 0
    case 'veryEnd':
      return at === points.length
    case 'end':
      return at === points.length || (at === points.length - 1 && points[at] === lineFeed)
    case 'lineStart':
      return at === 0 || points[at - 1] === lineFeed
    case 'lineEnd':
      return at === points.length || points[at] === lineFeed
    case 'wordEdge':
      return isEdge(at, points, isWord)
    case 'notWordEdge':
      // Python before 3.14: an empty text has no edge, but is not "not an edge" either.
      return points.length > 0 && !isEdge(at, points, isWord)
    case 'asciiWordEdge':
      return isEdge(at, points, isAsciiWord)
    case 'notAsciiWordEdge':
      return points.length > 0 && !isEdge(at, points, isAsciiWord)
  }
}

function isEdge(at: number, points: Int32Array, isIn: (point: number) => boolean): boolean {
  const before = at > 0 && isIn(points[at - 1] ?? 0)
  const behind = at < points.length && isIn(points[at] ?? 0)
  return before !== behind
}
