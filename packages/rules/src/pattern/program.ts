import { characterTest, type PatternNode, type PlaceTest } from './syntax.ts'

export type Instruction =
  | { readonly is: 'set'; readonly test: (point: number) => boolean }
  | { readonly is: 'place'; readonly place: PlaceTest }
  /** Goes on at the first; comes back to the second. */
  | { is: 'split'; first: number; second: number }
  | { is: 'jump'; to: number }
  | { readonly is: 'save'; readonly slot: number }
  | { readonly is: 'clear'; readonly slot: number }
  /** One round of a counted repeat: `slot` holds the rounds, `slot + 1` where the last one began. */
  | {
      is: 'count'
      readonly slot: number
      readonly min: number
      readonly max: number
      readonly isLazy: boolean
      exit: number
    }
  | { readonly is: 'look'; readonly isNegative: boolean; readonly width: number; readonly body: readonly Instruction[] }
  | { readonly is: 'atomic'; readonly body: readonly Instruction[] }
  | { readonly is: 'backReference'; readonly index: number; readonly ignoresCase: boolean }
  | { is: 'conditional'; readonly index: number; no: number }
  | { readonly is: 'found' }

export interface Program {
  readonly instructions: readonly Instruction[]
  readonly slots: number
  /** Whether "this instruction at this place failed before" is final, so that each pair is tried once: linear time. */
  readonly isRegular: boolean
}

const copiesMax = 1_000
const instructionsMax = 20_000

export function toProgram(root: PatternNode, groups: number): Program {
  const state = { slots: 2 * (groups + 1), isRegular: true, size: 0 }
  const instructions: Instruction[] = []
  emit(root, instructions, state)
  instructions.push({ is: 'found' })
  return { instructions, slots: state.slots, isRegular: state.isRegular }
}

interface State {
  slots: number
  isRegular: boolean
  size: number
}

function emit(node: PatternNode, out: Instruction[], state: State): void {
  state.size += 1
  switch (node.is) {
    case 'empty':
      return
    case 'set':
      out.push({ is: 'set', test: characterTest(node.set) })
      return
    case 'place':
      out.push(node)
      return
    case 'sequence':
      for (const one of node.of) emit(one, out, state)
      return
    case 'choice':
      return emitChoice(node.of, out, state)
    case 'group':
      out.push({ is: 'save', slot: 2 * node.index })
      emit(node.of, out, state)
      out.push({ is: 'save', slot: 2 * node.index + 1 })
      return
    case 'repeat':
      return emitRepeat(node, out, state)
    case 'look':
      state.isRegular = false
      out.push({
        is: 'look',
        isNegative: node.isNegative,
        width: node.isBehind ? node.width : 0,
        body: bodyOf(node.of, state),
      })
      return
    case 'atomic':
      state.isRegular = false
      out.push({ is: 'atomic', body: bodyOf(node.of, state) })
      return
    case 'backReference':
      state.isRegular = false
      out.push(node)
      return
    case 'conditional': {
      state.isRegular = false
      const test: Instruction = { is: 'conditional', index: node.index, no: 0 }
      out.push(test)
      emit(node.yes, out, state)
      const jump: Instruction = { is: 'jump', to: 0 }
      out.push(jump)
      test.no = out.length
      emit(node.no, out, state)
      jump.to = out.length
      return
    }
  }
}

function bodyOf(node: PatternNode, state: State): readonly Instruction[] {
  const body: Instruction[] = []
  emit(node, body, state)
  body.push({ is: 'found' })
  return body
}

function emitChoice(of: readonly PatternNode[], out: Instruction[], state: State): void {
  const jumps: Extract<Instruction, { is: 'jump' }>[] = []
  of.forEach((one, index) => {
    if (index === of.length - 1) return emit(one, out, state)
    const split: Instruction = { is: 'split', first: out.length + 1, second: 0 }
    out.push(split)
    emit(one, out, state)
    const jump: Instruction = { is: 'jump', to: 0 }
    jumps.push(jump)
    out.push(jump)
    split.second = out.length
  })
  for (const jump of jumps) jump.to = out.length
}

type Repeat = Extract<PatternNode, { is: 'repeat' }>

function emitRepeat(node: Repeat, out: Instruction[], state: State): void {
  if (node.style === 'possessive') {
    state.isRegular = false
    out.push({ is: 'atomic', body: bodyOf({ ...node, style: 'greedy' }, state) })
    return
  }
  const copies = Number.isFinite(node.max) ? node.max : node.min + 1
  const fits = copies <= copiesMax && copies * sizeOf(node.of) + state.size <= instructionsMax
  if (fits && !mayBeEmpty(node.of)) emitCopies(node, out, state)
  else emitCounted(node, out, state)
}

function emitCopies(node: Repeat, out: Instruction[], state: State): void {
  const isLazy = node.style === 'lazy'
  for (let round = 0; round < node.min; round += 1) emit(node.of, out, state)
  const splits: Extract<Instruction, { is: 'split' }>[] = []
  const open = (): void => {
    const split: Instruction = { is: 'split', first: out.length + 1, second: 0 }
    splits.push(split)
    out.push(split)
  }
  if (!Number.isFinite(node.max)) {
    const start = out.length
    open()
    emit(node.of, out, state)
    out.push({ is: 'jump', to: start })
  } else {
    for (let round = node.min; round < node.max; round += 1) {
      open()
      emit(node.of, out, state)
    }
  }
  for (const split of splits) {
    split.second = out.length
    if (isLazy) [split.first, split.second] = [split.second, split.first]
  }
}

/** For large counts, and for bodies that may take nothing: a round that took nothing is the last one. */
function emitCounted(node: Repeat, out: Instruction[], state: State): void {
  const isPlainStar = node.min === 0 && !Number.isFinite(node.max)
  // Failing does not depend on the number of rounds already made when any number will do.
  if (!isPlainStar) state.isRegular = false
  const slot = state.slots
  state.slots += 2
  out.push({ is: 'clear', slot })
  const count: Instruction = { is: 'count', slot, min: node.min, max: node.max, isLazy: node.style === 'lazy', exit: 0 }
  const start = out.length
  out.push(count)
  emit(node.of, out, state)
  out.push({ is: 'jump', to: start })
  count.exit = out.length
}

function sizeOf(node: PatternNode): number {
  switch (node.is) {
    case 'sequence':
    case 'choice':
      return node.of.reduce((sum, one) => sum + sizeOf(one), 1)
    case 'repeat':
      return 1 + sizeOf(node.of) * Math.min(copiesMax, Number.isFinite(node.max) ? node.max : node.min + 1)
    case 'group':
    case 'atomic':
    case 'look':
      return 2 + sizeOf(node.of)
    case 'conditional':
      return 2 + sizeOf(node.yes) + sizeOf(node.no)
    default:
      return 1
  }
}

function mayBeEmpty(node: PatternNode): boolean {
  switch (node.is) {
    case 'set':
      return false
    case 'empty':
    case 'place':
    case 'look':
    case 'backReference':
      return true
    case 'sequence':
      return node.of.every(mayBeEmpty)
    case 'choice':
      return node.of.some(mayBeEmpty)
    case 'group':
    case 'atomic':
      return mayBeEmpty(node.of)
    case 'conditional':
      return mayBeEmpty(node.yes) || mayBeEmpty(node.no)
    case 'repeat':
      return node.min === 0 || mayBeEmpty(node.of)
  }
}
