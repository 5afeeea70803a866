import type { Sql } from '../../kernel/db.ts'
import { cellsSql, freshSql, piecesOf } from './count-cells.ts'
import type { EventScope } from './event-scope.ts'
import type { EventWords } from './event-words.ts'
import { statement } from './statement.ts'

/** What an agent did with one tool within the scope. */
export type UsedTool = {
  readonly environment: string
  readonly agent: string
  readonly tool: string
  readonly allowed: number
  readonly blocked: number
  readonly held: number
  readonly observed: number
  /** The minute of the last event that named it. */
  readonly lastAt: Date
}

type Row = {
  readonly environment: number
  readonly agent: number
  readonly tool: number
  readonly verdict: number
  readonly count: number
  readonly last: Date
}
type Needs = { readonly db: Sql; readonly words: EventWords }

/** The tools each agent used, with how its calls were decided. From the counts, so it costs what there are tools. */
export function usedTools({ db, words }: Needs) {
  return async (scope: EventScope): Promise<readonly UsedTool[]> => {
    const pieces = piecesOf(scope.since, scope.until, 2)
    const query = statement()
    const fresh = freshSql(query, scope, pieces)
    const picked = ['c.environment', 'c.agent', 'c.tool', 'c.verdict', 'c.bucket']
    const cells = cellsSql(query, scope, pieces, picked, ['environment', 'agent', 'tool', 'verdict'])
    const rows = await db.query<Row>(
      `with ${fresh}, cells as (${cells})
       select n.environment, n.agent, n.tool, n.verdict, sum(n.count)::int8 as count, max(n.bucket) as last
         from cells as n group by n.environment, n.agent, n.tool, n.verdict having sum(n.count) > 0`,
      query.values,
    )
    const numbers = rows.flatMap(({ environment, agent, tool, verdict }) => [environment, agent, tool, verdict])
    const spelled = await words.spell(scope.tenant, numbers)
    const word = (number: number): string => spelled.get(number) ?? ''
    const found = new Map<string, UsedTool>()
    for (const row of rows) {
      const key = `${row.environment} ${row.agent} ${row.tool}`
      const names = { environment: word(row.environment), agent: word(row.agent), tool: word(row.tool) }
      const before = found.get(key) ?? { ...names, allowed: 0, blocked: 0, held: 0, observed: 0, lastAt: row.last }
      const action = word(row.verdict)
      const add = (of: string): number => (action === of ? row.count : 0)
      found.set(key, {
        ...before,
        allowed: before.allowed + add('call_allowed'),
        blocked: before.blocked + add('call_blocked'),
        held: before.held + add('call_asked'),
        observed: before.observed + add('call_would_block'),
        lastAt: row.last > before.lastAt ? row.last : before.lastAt,
      })
    }
    return [...found.values()].filter(({ tool }) => tool !== '')
  }
}
