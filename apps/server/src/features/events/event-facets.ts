import { type EventDimension, eventDimensions } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { cellsSql, freshSql, piecesOf } from './count-cells.ts'
import type { EventScope } from './event-scope.ts'
import type { EventWords } from './event-words.ts'
import { needsScan, scanCells } from './scan-events.ts'
import { statement } from './statement.ts'

export type Facet = {
  readonly values: readonly { readonly value: string | null; readonly count: number }[]
  readonly more: number
}
export type Facets = {
  readonly total: { readonly count: number; readonly is_exact: boolean }
  readonly is_exact: boolean
  readonly facets: Readonly<Record<EventDimension, Facet>>
}

const valuesShown = 50

type Row = { readonly facet: string; readonly value: number; readonly count: number; readonly distinct: number }
type Needs = { readonly db: Sql; readonly words: EventWords }

/** Counts of every value of every dimension, each under the filters of the others; all of one moment. */
export function countFacets({ db, words }: Needs) {
  return async (scope: EventScope): Promise<Facets> => {
    if (needsScan(scope)) return scannedFacets(scope)
    const pieces = piecesOf(scope.since, scope.until, 2)
    const query = statement()
    const fresh = freshSql(query, scope, pieces)
    const facets = eventDimensions.map(
      (dimension) => `(
        select '${dimension}' as facet, f.value, f.count, f.distinct from (
          select n.value, sum(n.count)::int8 as count, count(*) over ()::int as distinct
            from (${cellsSql(query, scope, pieces, [`c.${dimension} as value`], [dimension], dimension)}) as n
           group by n.value having sum(n.count) <> 0
        ) as f order by f.count desc, f.value limit ${valuesShown})`,
    )
    const total = `select '' as facet, 0 as value, coalesce(sum(n.count), 0)::int8 as count, 0 as distinct
      from (${cellsSql(query, scope, pieces, ['0 as value'], [])}) as n`
    const rows = await db.query<Row>(`with ${fresh} ${[...facets, total].join(' union all ')}`, query.values)
    return shape(scope.tenant, rows, rows.find(({ facet }) => facet === '')?.count ?? 0, true)
  }

  async function scannedFacets(scope: EventScope): Promise<Facets> {
    const { cells, isExact } = await scanCells(db, scope)
    const rows = eventDimensions.flatMap((dimension): Row[] => {
      const counts = new Map<number, number>()
      for (const cell of cells) counts.set(cell[dimension], (counts.get(cell[dimension]) ?? 0) + cell.count)
      return [...counts]
        .sort((a, b) => b[1] - a[1] || a[0] - b[0])
        .slice(0, valuesShown)
        .map(([value, count]) => ({ facet: dimension, value, count, distinct: counts.size }))
    })
    return shape(
      scope.tenant,
      rows,
      cells.reduce((sum, { count }) => sum + count, 0),
      isExact,
    )
  }

  async function shape(tenant: string, rows: readonly Row[], count: number, isExact: boolean): Promise<Facets> {
    const spelled = await words.spell(
      tenant,
      rows.filter(({ facet }) => facet !== '').map(({ value }) => value),
    )
    const facetOf = (dimension: EventDimension): Facet => {
      const own = rows.filter(({ facet }) => facet === dimension)
      return {
        values: own.map((row) => ({ value: spelled.get(row.value) || null, count: row.count })),
        more: Math.max(0, (own[0]?.distinct ?? 0) - own.length),
      }
    }
    return {
      total: { count, is_exact: isExact },
      is_exact: isExact,
      facets: {
        agent: facetOf('agent'),
        tool: facetOf('tool'),
        environment: facetOf('environment'),
        verdict: facetOf('verdict'),
        mode: facetOf('mode'),
        rule: facetOf('rule'),
      },
    }
  }
}
