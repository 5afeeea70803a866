import type { TrailFacets } from '../../api/types.ts'
import { FacetList, type FacetValue } from '../../ui/filters/facet-list.tsx'
import faceted from '../../ui/filters/faceted.module.css'
import { type Filters, onlyFilter, toggleFilter } from '../../ui/filters/filter-text.ts'
import type { Names } from '../../ui/subjects.ts'
import classes from './trail.module.css'

const titles = [
  ['outcome', 'outcome', 'Outcome'],
  ['act', 'act', 'Act'],
  ['actor', 'actor', 'Who'],
  ['subject_kind', 'kind', 'To what'],
] as const

type Props = {
  readonly facets: TrailFacets
  readonly filters: Filters
  readonly names: Names
  readonly onFilters: (filters: Filters) => void
}

/** The trail takes one value of each field, so that choosing another lets go of the first. */
export function Facets({ facets, filters, names, onFilters }: Props) {
  const choose = (name: string, value: string): void => {
    const isOn = filters.filters.some((filter) => filter.name === name && filter.value === value)
    const next = isOn
      ? toggleFilter(filters.filters, { name, value, isExcluded: false })
      : onlyFilter(filters.filters, name, value)
    onFilters({ ...filters, filters: next })
  }
  return titles.map(([facet, name, title]) => {
    const { values, more } = facets.facets[facet]
    const counted = values.map(
      ({ value, count }): FacetValue => ({
        value,
        count,
        isAtLeast: !facets.is_exact,
        ...(facet === 'actor' && { shown: value === '-' ? <i>nobody known</i> : (names.get(value) ?? value) }),
      }),
    )
    return (
      <div key={facet} className={faceted.facet}>
        <FacetList
          title={title}
          name={name}
          values={counted}
          filters={filters.filters}
          onToggle={({ value }) => choose(name, value)}
          onOnly={choose}
          isOneOnly
          isMonospaced={facet === 'act'}
        />
        {more > 0 && <p className={classes.note}>{more} rarer ones are not listed.</p>}
      </div>
    )
  })
}
