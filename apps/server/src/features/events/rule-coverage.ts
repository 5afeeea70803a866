import type { Sql } from '../../kernel/db.ts'
import { cellsSql, freshSql, piecesOf } from './count-cells.ts'
import type { EventScope } from './event-scope.ts'
import type { EventWords } from './event-words.ts'
import { statement } from './statement.ts'

export type RuleCoverage = {
  readonly rule: string
  readonly total: number
  readonly blocked: number
  readonly warned: number
  /** The minute of the last event that named it. */
  readonly lastAt: Date
}

type Row = { readonly rule: number; readonly verdict: number; readonly count: number; readonly last: Date }
type Needs = { readonly db: Sql; readonly words: EventWords }

/** How often each rule was named by an event of the scope, and with what outcome; most often first. */
export function ruleCoverage({ db, words }: Needs) {
  return async (scope: EventScope): Promise<readonly RuleCoverage[]> => {
    const pieces = piecesOf(scope.since, scope.until, 0)
    const query = statement()
    const fresh = freshSql(query, scope, pieces)
    const cells = cellsSql(query, scope, pieces, ['c.rule', 'c.verdict', 'c.bucket'], ['rule', 'verdict'])
    const rows = await db.query<Row>(
      `with ${fresh}, cells as (${cells})
       select n.rule, n.verdict, sum(n.count)::int8 as count, max(n.bucket) as last
         from cells as n where n.rule > 0 group by n.rule, n.verdict having sum(n.count) > 0`,
      query.values,
    )
    const spelled = await words.spell(
      scope.tenant,
      rows.flatMap(({ rule, verdict }) => [rule, verdict]),
    )
    const found = new Map<string, RuleCoverage>()
    for (const { rule, verdict, count, last } of rows) {
      const name = spelled.get(rule) ?? ''
      const action = spelled.get(verdict)
      const before = found.get(name) ?? { rule: name, total: 0, blocked: 0, warned: 0, lastAt: last }
      found.set(name, {
        rule: name,
        total: before.total + count,
        blocked: before.blocked + (action === 'call_blocked' ? count : 0),
        warned: before.warned + (action === 'call_would_block' || action === 'postcondition_warning' ? count : 0),
        lastAt: last > before.lastAt ? last : before.lastAt,
      })
    }
    return [...found.values()].sort((a, b) => b.total - a.total || a.rule.localeCompare(b.rule))
  }
}
