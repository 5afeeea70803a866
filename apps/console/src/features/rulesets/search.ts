import { readSort, type Sort } from '../../ui/data-table/columns.ts'

export type ListSearch = {
  /** Words in name or description. */
  readonly q?: string
  /** The editor with a small text to begin with, instead of the list. */
  readonly new?: boolean
  readonly sort?: Sort
}

export function readListSearch(search: Record<string, unknown>): ListSearch {
  const q = textIn(search['q'])
  return { ...(q !== undefined && { q }), ...(search['new'] === true && { new: true }), ...readSort(search['sort']) }
}

export const tabs = ['editor', 'try', 'revisions', 'rollouts', 'agents'] as const
export type Tab = (typeof tabs)[number]

export type RulesetSearch = {
  readonly tab?: Tab
  /** The revision whose drawer is open. */
  readonly revision?: number
  /** Two versions beside each other. */
  readonly from?: number
  readonly to?: number
  /** The rollout whose drawer is open. */
  readonly rollout?: string
  /** The version that is being reviewed before it is rolled out, and where to. */
  readonly review?: number
  readonly into?: string
  /** Where the editor begins, such as at a rule that was just drafted. */
  readonly line?: number
}

export function readRulesetSearch(search: Record<string, unknown>): RulesetSearch {
  const tab = tabs.find((known) => known === search['tab'])
  const found = {
    tab: tab === 'editor' ? undefined : tab,
    revision: versionIn(search['revision']),
    from: versionIn(search['from']),
    to: versionIn(search['to']),
    rollout: textIn(search['rollout']),
    review: versionIn(search['review']),
    into: textIn(search['into']),
    line: versionIn(search['line']),
  }
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined))
}

function textIn(value: unknown): string | undefined {
  return (typeof value === 'string' || typeof value === 'number') && value !== '' ? String(value) : undefined
}

function versionIn(value: unknown): number | undefined {
  const version = typeof value === 'number' ? value : Number(textIn(value) ?? Number.NaN)
  return Number.isInteger(version) && version >= 1 && version <= 2_147_483_647 ? version : undefined
}
