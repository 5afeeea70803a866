import type { Sql } from '../../kernel/db.ts'
import { countBy, type TrailFilter } from './list-table.ts'

/** What the newest so many matches are counted of; more would keep the reader waiting. */
const countedMax = 50_000
const valuesMax = 30

const facets = {
  act: { column: 's.act', filter: 'act' },
  actor: { column: 's.actor_id', filter: 'actor' },
  outcome: { column: 's.outcome', filter: 'outcome' },
  subject_kind: { column: 's.subject_kind', filter: 'subjectKind' },
} as const

type FacetName = keyof typeof facets

/** How many entries there are of each value, counted under the filters of the others, so that its own stay in sight. */
export function trailFacets({ db }: { readonly db: Sql }) {
  return async (tenant: string, filter: TrailFilter) => {
    const names: readonly FacetName[] = ['act', 'actor', 'outcome', 'subject_kind']
    const counted = await Promise.all(
      names.map((name) => {
        const { column, filter: own } = facets[name]
        return countBy(db, tenant, { ...filter, [own]: undefined }, column, countedMax)
      }),
    )
    // Words are looked for in the list in what is sealed too, and here not: that would open everything four times.
    const isExact =
      filter.text === undefined &&
      counted.every((values) => values.reduce((sum, { count }) => sum + count, 0) < countedMax)
    const shown = names.map((name, i) => {
      const values = counted[i] ?? []
      return [name, { values: values.slice(0, valuesMax), more: Math.max(0, values.length - valuesMax) }] as const
    })
    return { is_exact: isExact, facets: Object.fromEntries(shown) as Record<FacetName, (typeof shown)[number][1]> }
  }
}
