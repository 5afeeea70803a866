export type Urgency = 'calm' | 'soon' | 'last' | 'over'

/** By what a person can still do in the time: read it all, decide, or barely press a key. */
export function urgencyOf(leftMs: number): Urgency {
  if (leftMs <= 0) return 'over'
  if (leftMs <= 30_000) return 'last'
  return leftMs <= 120_000 ? 'soon' : 'calm'
}
