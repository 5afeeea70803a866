import {
  agentCoverage,
  agentCoverageQuery,
  coverageQuery,
  draftRule,
  draftRuleBody,
  fleetCoverage,
  rulesetNameParams,
  Type,
} from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { notFound } from '../../kernel/problem.ts'
import { type Route, route } from '../roles/index.ts'
import { findLatestRevision, findRevisionWithTexts, type ReadRulesets } from '../rulesets/index.ts'
import type { ReadCoverage } from './read-coverage.ts'

type Needs = {
  readonly db: Sql
  readonly coverage: ReadCoverage
  readonly read: Pick<ReadRulesets, 'draftRule'>
}

export function coverageRoutes({ db, coverage, read }: Needs): readonly Route[] {
  return [
    route({
      does: 'Tell which tools of the fleet are governed by rules',
      method: 'GET',
      path: '/coverage',
      needs: 'fleet:read',
      query: coverageQuery,
      answers: fleetCoverage,
      handle: ({ who, query: { environment, since } }) => coverage.fleet(who.tenant, environment, dateIn(since)),
    }),
    route({
      does: 'Tell which tools of an agent are governed by which rules',
      method: 'GET',
      path: '/agents/:id/coverage',
      needs: 'fleet:read',
      params: Type.Object({ id: Type.String({ minLength: 1, maxLength: 200 }) }),
      query: agentCoverageQuery,
      answers: agentCoverage,
      handle: ({ who, params: { id }, query: { environment, since } }) =>
        coverage.agent(who.tenant, id, environment, dateIn(since)),
    }),
    route({
      does: 'Draft a rule for a tool, behind the rules of a ruleset',
      method: 'POST',
      path: '/rulesets/:name/draft-rule',
      needs: 'rulesets:read',
      params: rulesetNameParams,
      body: draftRuleBody,
      answers: draftRule,
      handle: async ({ who, params: { name }, body: { tool, action = 'ask', mode } }) => {
        const latest = await findLatestRevision(db, who.tenant, name)
        const revision = latest && (await findRevisionWithTexts(db, who.tenant, name, latest.version))
        if (!revision) throw notFound('ruleset')
        const drafted = await read.draftRule(who.tenant, { text: revision.source, tool, action, mode })
        return {
          ruleset: name,
          based_on_version: revision.version,
          rule_id: drafted.ruleId,
          yaml: drafted.yaml,
          line: drafted.line,
          end_line: drafted.endLine,
        }
      },
    }),
  ]
}

function dateIn(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text)
}
