import type { RuleType } from '../library/index.ts'

export type Mode = 'enforce' | 'observe'

/** A rule at its place. */
export type CompositionItem = {
  readonly ruleId: string
  readonly version: number
  readonly mode: Mode | null
  readonly isEnabled: boolean
  readonly position: number
  readonly name: string
  readonly type: RuleType
  readonly text: string
  readonly latestVersion: number
}

export type Composition = {
  readonly id: string
  readonly name: string
  readonly description: string | null
  readonly defaultMode: Mode
  readonly tools: unknown
  readonly observability: unknown
  readonly edit: number
  readonly ruleCount: number
  readonly newerVersions: number
  readonly madeBy: string
  readonly madeByEmail: string | null
  readonly changedBy: string
  readonly changedByEmail: string | null
  readonly changedAt: Date
}

/** What is asked for at a place; a version that is not said is the one it had, for a new item the newest. */
export type WantedItem = {
  readonly ruleId: string
  readonly version?: number | undefined
  readonly mode?: Mode | null | undefined
  readonly isEnabled?: boolean | undefined
  readonly position?: number | undefined
}

export type PlacedItem = Pick<CompositionItem, 'ruleId' | 'version' | 'mode' | 'isEnabled' | 'position'>

const positionStep = 10

/** Gives every item its version and a position of its own, in the order given. */
export function placeItems(
  wanted: readonly WantedItem[],
  before: readonly PlacedItem[],
  latest: ReadonlyMap<string, number>,
): readonly PlacedItem[] {
  const pinned = new Map(before.map(({ ruleId, version }) => [ruleId, version]))
  let last = 0
  return wanted.map(({ ruleId, version, mode, isEnabled, position }) => {
    last = position !== undefined && position > last ? position : last + positionStep
    return {
      ruleId,
      version: version ?? pinned.get(ruleId) ?? latest.get(ruleId) ?? 1,
      mode: mode ?? null,
      isEnabled: isEnabled ?? true,
      position: last,
    }
  })
}
