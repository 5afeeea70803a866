import { eventFlags } from '@countersign/wire'

type Flag = (typeof eventFlags)[number]

/** One bit each, in the order of the wire's list, which therefore may only grow at its end. */
export function flagBits(set: Readonly<Partial<Record<Flag, boolean>>>): number {
  let bits = 0
  for (const [at, flag] of eventFlags.entries()) if (set[flag]) bits |= 1 << at
  return bits
}

export function flagsOf(bits: number): Flag[] {
  return eventFlags.filter((_flag, at) => (bits & (1 << at)) !== 0)
}
