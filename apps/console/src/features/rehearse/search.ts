import { type ChangeShown, isChange } from './replay-words.ts'

export const tabs = ['playground', 'replays'] as const
export type Tab = (typeof tabs)[number]

export type RehearseSearch = {
  readonly tab?: Tab
  /** Whose text is tried; none: one of one's own. */
  readonly ruleset?: string
  /** The recorded call that is tried. */
  readonly event?: string
  /** The replay that is looked at. */
  readonly replay?: string
  /** The form to start a replay is open, for this version where it is one. */
  readonly start?: boolean
  readonly version?: number
  /** Of a replay's samples, those of this kind and rule. */
  readonly change?: ChangeShown
  readonly rule?: string
}

export function readSearch(search: Record<string, unknown>): RehearseSearch {
  const tab = tabs.find((known) => known === search['tab'])
  const ruleset = textIn(search['ruleset'])
  const event = textIn(search['event'])
  const replay = textIn(search['replay'])
  const version = search['version']
  const change = search['change']
  const rule = textIn(search['rule'])
  return {
    ...(tab && tab !== 'playground' && { tab }),
    ...(ruleset !== undefined && { ruleset }),
    ...(event !== undefined && { event }),
    ...(replay !== undefined && { replay }),
    ...(search['start'] === true && { start: true }),
    ...(isChange(change) && { change }),
    ...(rule !== undefined && { rule }),
    ...(typeof version === 'number' && Number.isInteger(version) && version > 0 && { version }),
  }
}

function textIn(value: unknown): string | undefined {
  return (typeof value === 'string' || typeof value === 'number') && value !== '' ? String(value) : undefined
}
