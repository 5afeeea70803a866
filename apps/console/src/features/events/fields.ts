import type { FilterField } from '../../ui/filters/filter-bar.tsx'
import { type FilterName, filterNames } from './search.ts'
import type { EventFacets } from './types.ts'
import { actionTokens, noRule, tokenValue } from './words.ts'

const hints: Readonly<Record<FilterName, string>> = {
  agent: 'who called; build-* for all that begin so',
  tool: 'what was called',
  environment: 'where',
  verdict: 'what became of it',
  mode: 'enforce or observe',
  rule: `which rule; ${noRule} for none`,
}

const always: Readonly<Partial<Record<FilterName, readonly string[]>>> = {
  verdict: actionTokens,
  mode: ['enforce', 'observe'],
  rule: [noRule],
}

/** What can be typed, with the values that occur. */
export function fieldsFrom(facets: EventFacets | undefined): readonly FilterField[] {
  return filterNames.map((name) => {
    const found = facets?.facets[name].values.map(({ value }) => tokenValue(name, value)) ?? []
    return { name, hint: hints[name], values: [...new Set([...found, ...(always[name] ?? [])])] }
  })
}
