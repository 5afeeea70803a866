/**
 * Cases no correct engine can satisfy, with what is asserted instead. Nothing else may be skipped.
 */
export interface Defect {
  readonly reason: string
  /** The outcome that correct semantics give. */
  readonly verdict: string
}

export const knownDefects: ReadonlyMap<string, Defect> = new Map([
  [
    'adv-inject-002',
    {
      reason:
        'It expects `contains: "$()"` to be found in `echo $(whoami)`. `contains` is a literal substring, and that one is not there. The corrected twin below looks for `$(`.',
      verdict: 'allowed',
    },
  ],
])

/** The same case with the substring its author meant. */
export const correctedTwins = [
  {
    id: 'adv-inject-002-corrected',
    of: 'adv-inject-002',
    replace: { from: '$()', to: '$(' },
  },
] as const
