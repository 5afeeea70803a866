import { environmentName, overview, type Permission, searchHits, searchQuery, Type } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { type Route, route } from '../roles/index.ts'
import type { ReadOverview } from './read-overview.ts'
import {
  findAgents,
  findApprovals,
  findEnvironments,
  findEvents,
  findEventWords,
  findRulesets,
  type Look,
} from './search-table.ts'

type Needs = { readonly db: Sql; readonly read: ReadOverview }

const looks: readonly (readonly [Permission, Look])[] = [
  ['events:read', findEvents],
  ['fleet:read', findAgents],
  ['rulesets:read', findRulesets],
  ['approvals:read', findApprovals],
  ['events:read', findEventWords],
  ['overview:read', findEnvironments],
]

export function overviewRoutes({ db, read }: Needs): readonly Route[] {
  return [
    route({
      does: 'Show what needs attention and what happened in the last 24 hours',
      method: 'GET',
      path: '/overview',
      needs: 'overview:read',
      query: Type.Object({ environment: Type.Optional(environmentName) }),
      answers: overview,
      handle: ({ who, query }) => read(who.tenant, query.environment),
    }),
    route({
      does: 'Find agents, rulesets, approvals, events, tools and rules by name or id',
      method: 'GET',
      path: '/search',
      needs: 'overview:read',
      query: searchQuery,
      answers: searchHits,
      handle: async ({ who, query }) => {
        const q = query.q.trim().replaceAll('\0', '').toWellFormed()
        if (q === '') return { hits: [] }
        const pattern = `%${q.replace(/[\\%_]/g, '\\$&')}%`
        const found = await Promise.all(
          looks.filter(([needed]) => who.permissions.has(needed)).map(([, look]) => look(db, who.tenant, pattern, q)),
        )
        return { hits: found.flat().map((hit) => ({ ...hit })) }
      },
    }),
  ]
}
