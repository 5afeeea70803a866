export const tabs = ['general', 'environments', 'signing', 'danger'] as const
export type Tab = (typeof tabs)[number]

export type SettingsSearch = {
  readonly tab?: Tab
  /** Words in the title, help, name or group of a setting. */
  readonly q?: string
  /** The setting a link points at. */
  readonly setting?: string
  /** The environment whose baselines are open. */
  readonly baselines?: string
  /** The environment whose approval policies are open. */
  readonly policies?: string
}

export function readSearch(search: Record<string, unknown>): SettingsSearch {
  const { baselines, policies, q, setting } = search
  const tab = tabs.find((known) => known === search['tab'])
  return {
    ...(tab !== undefined && tab !== 'general' && { tab }),
    ...((typeof q === 'string' || typeof q === 'number') && q !== '' && { q: String(q) }),
    ...(typeof setting === 'string' && setting !== '' && { setting }),
    ...(tab === 'environments' && typeof baselines === 'string' && baselines !== '' && { baselines }),
    ...(tab === 'environments' && typeof policies === 'string' && policies !== '' && { policies }),
  }
}
