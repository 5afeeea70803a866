export const tabs = ['tools', 'agents'] as const
export type Tab = (typeof tabs)[number]

export const spans = ['24h', '7d', '30d'] as const
export type Span = (typeof spans)[number]

export type CoverageSearch = { readonly tab?: Tab; readonly range?: Span }

const hour = 3_600_000
const lengths: Readonly<Record<Span, number>> = { '24h': 24 * hour, '7d': 7 * 24 * hour, '30d': 30 * 24 * hour }

export function readSearch(search: Record<string, unknown>): CoverageSearch {
  const tab = tabs.find((known) => known === search['tab'])
  const range = spans.find((known) => known === search['range'])
  return { ...(tab && tab !== 'tools' && { tab }), ...(range && range !== '24h' && { range }) }
}

/** From when on, to the minute, so that the same question is not asked anew each second. */
export function sinceOf(span: Span, now: number): string {
  return new Date(Math.floor(now / 60_000) * 60_000 - lengths[span]).toISOString()
}
