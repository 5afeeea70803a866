export const tabs = ['general', 'environments', 'signing', 'danger'] as const
export type Tab = (typeof tabs)[number]

export type SettingsSearch = {
  readonly tab?: Tab
  /** The environment whose baselines are open. */
  readonly baselines?: string
}

export function readSearch(search: Record<string, unknown>): SettingsSearch {
  const { baselines } = search
  const tab = tabs.find((known) => known === search['tab'])
  return {
    ...(tab !== undefined && tab !== 'general' && { tab }),
    ...(tab === 'environments' && typeof baselines === 'string' && baselines !== '' && { baselines }),
  }
}
