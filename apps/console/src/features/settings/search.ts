export const tabs = ['general', 'environments', 'signing', 'sessions', 'danger'] as const
export type Tab = (typeof tabs)[number]

export function readSearch(search: Record<string, unknown>): { readonly tab?: Tab } {
  const tab = tabs.find((known) => known === search['tab'])
  return tab === undefined || tab === 'general' ? {} : { tab }
}
