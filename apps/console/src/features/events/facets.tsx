import { useState } from 'react'
import { FacetList, type FacetValue } from '../../ui/filters/facet-list.tsx'
import faceted from '../../ui/filters/faceted.module.css'
import { type Filter, type Filters, onlyFilter, toggleFilter } from '../../ui/filters/filter-text.ts'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'
import classes from './events.module.css'
import type { FilterName } from './search.ts'
import type { EventFacets } from './types.ts'
import { actionOf, noRule, tokenValue } from './words.ts'

const titles: readonly (readonly [FilterName, string])[] = [
  ['verdict', 'Verdict'],
  ['agent', 'Agent'],
  ['tool', 'Tool'],
  ['rule', 'Rule'],
  ['environment', 'Environment'],
  ['mode', 'Mode'],
]

const shownAtFirst = 8

type Props = {
  readonly facets: EventFacets
  readonly filters: Filters
  readonly onFilters: (filters: Filters) => void
  /** The environment switch has chosen already. */
  readonly isInOneEnvironment: boolean
}

export function Facets({ facets, filters, onFilters, isInOneEnvironment }: Props) {
  const [whole, setWhole] = useState<ReadonlySet<string>>(new Set())
  const change = (next: readonly Filter[]): void => onFilters({ ...filters, filters: next })
  return titles.map(([name, title]) => {
    if (name === 'environment' && isInOneEnvironment) return null
    const { values, more } = facets.facets[name]
    const counted = values.map(({ value, count }): FacetValue => {
      const token = tokenValue(name, value)
      return {
        value: token,
        count,
        isAtLeast: !facets.is_exact,
        ...(name === 'verdict' && value !== null && { shown: <VerdictBadge {...actionOf(value)} /> }),
        ...(token === noRule && { shown: <i>no rule</i> }),
      }
    })
    const known = new Set(counted.map(({ value }) => value))
    // What was chosen stays in sight, to be let go again, although nothing of it is left.
    const gone = filters.filters
      .filter((filter) => filter.name === name && !known.has(filter.value) && !filter.value.includes('*'))
      .map(({ value }): FacetValue => ({ value, count: 0 }))
    const all = [...counted, ...gone]
    const isWhole = whole.has(name)
    const chosen = new Set(filters.filters.filter((filter) => filter.name === name).map(({ value }) => value))
    const shown = all.filter(({ value }, index) => isWhole || index < shownAtFirst || chosen.has(value))
    const hidden = all.length - shown.length
    return (
      <div key={name} className={faceted.facet}>
        <FacetList
          title={title}
          name={name}
          values={shown}
          filters={filters.filters}
          onToggle={(filter) => change(toggleFilter(filters.filters, filter))}
          onOnly={(of, value) => change(onlyFilter(filters.filters, of, value))}
          isMonospaced={name === 'agent' || name === 'tool' || name === 'rule'}
        />
        {hidden > 0 && (
          <button type="button" className={classes.more} onClick={() => setWhole(new Set([...whole, name]))}>
            {hidden} more
          </button>
        )}
        {isWhole && more > 0 && (
          <p className={classes.moreNote}>
            {more} rarer ones are not listed; type <code>{name}:</code> and a name.
          </p>
        )}
      </div>
    )
  })
}
