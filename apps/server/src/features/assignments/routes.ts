import {
  type AssignmentResolution,
  type AssignmentRule,
  assignAnswer,
  assignBody,
  assignmentPreview,
  assignmentRule,
  assignmentRuleBody,
  assignmentRuleList,
  assignmentRuleParams,
  assignmentRuleQuery,
  changeAssignmentRuleBody,
  explicitAssignmentList,
  explicitAssignmentQuery,
  previewAssignmentBody,
  resolveAssignmentQuery,
  resolvedAssignment,
} from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { invalidInput, notFound } from '../../kernel/problem.ts'
import { type Route, route } from '../roles/index.ts'
import type { AssignAgents } from './assign-agents.ts'
import type { AssignmentOrder, Resolution } from './assignment.ts'
import { findKnownAgent, listExplicitRows, listRuleRows, type RuleRow, rulesetExists } from './assignments-table.ts'
import type { ManageAssignmentRules } from './manage-assignment-rules.ts'
import { askOf, type previewAssignmentRule } from './preview-assignment-rule.ts'
import type { ResolveAssignment } from './resolve-assignment.ts'

type Needs = {
  readonly db: Sql
  readonly rules: ManageAssignmentRules
  readonly assign: AssignAgents
  readonly preview: ReturnType<typeof previewAssignmentRule>
  readonly resolve: {
    readonly assignment: ResolveAssignment
    readonly orderOf: (tenant: string) => Promise<AssignmentOrder>
  }
}

export function assignmentRoutes({ db, rules, assign, preview, resolve }: Needs): readonly Route[] {
  const requireRuleset = async (tenant: string, name: string | null | undefined): Promise<void> => {
    if (name === null || name === undefined || (await rulesetExists(db, tenant, name))) return
    throw invalidInput('body.ruleset', `There is no ruleset ${name}. Upload it first, or correct the name.`)
  }
  const read = async (tenant: string, id: string): Promise<AssignmentRule> => {
    const row = (await listRuleRows(db, tenant)).find((one) => one.id === id)
    if (!row) throw notFound('assignment rule')
    return ruleOnWire(row)
  }

  return [
    route({
      does: 'List assignment rules in the order they are tried',
      method: 'GET',
      path: '/assignment-rules',
      needs: 'rulesets:read',
      query: assignmentRuleQuery,
      answers: assignmentRuleList,
      handle: async ({ who, query: { environment } }) => {
        const rows = await listRuleRows(db, who.tenant, environment)
        return { items: rows.map(ruleOnWire), next_cursor: null }
      },
    }),
    route({
      does: 'Add an assignment rule',
      method: 'POST',
      path: '/assignment-rules',
      needs: 'assignments:write',
      status: 201,
      body: assignmentRuleBody,
      answers: assignmentRule,
      handle: async ({ who, body: { tag_match = null, ...draft }, facts }) => {
        await requireRuleset(who.tenant, draft.ruleset)
        const { id } = await rules.add(who, { ...draft, tagMatch: tag_match }, facts)
        return read(who.tenant, id)
      },
    }),
    route({
      does: 'Change an assignment rule',
      method: 'PATCH',
      path: '/assignment-rules/:id',
      needs: 'assignments:write',
      params: assignmentRuleParams,
      body: changeAssignmentRuleBody,
      answers: assignmentRule,
      handle: async ({ who, params: { id }, body: { tag_match, ...change }, facts }) => {
        await requireRuleset(who.tenant, change.ruleset)
        await rules.change(who, id, { ...change, tagMatch: tag_match }, facts)
        return read(who.tenant, id)
      },
    }),
    route({
      does: 'Remove an assignment rule',
      method: 'DELETE',
      path: '/assignment-rules/:id',
      needs: 'assignments:write',
      params: assignmentRuleParams,
      answers: assignmentRuleParams,
      handle: async ({ who, params: { id }, facts }) => {
        await rules.remove(who, id, facts)
        return { id }
      },
    }),
    route({
      does: 'Show which agents a rule would move, without changing anything',
      method: 'POST',
      path: '/assignment-rules/preview',
      needs: 'rulesets:read',
      body: previewAssignmentBody,
      answers: assignmentPreview,
      handle: async ({ who, body: { id, rule } }) => {
        if (id === undefined && !rule)
          throw invalidInput('body.rule', 'Give the rule to try, or the id of one to drop.')
        const draft = rule && { ...rule, tagMatch: rule.tag_match ?? null }
        const { agents, changedCount, matchedCount } = await preview(who.tenant, { id, draft })
        const items = agents.map(({ agent, before, after }) => ({
          agent_id: agent.agentId,
          environment: agent.environment,
          is_connected: agent.isConnected,
          before: resolutionOnWire(before),
          after: resolutionOnWire(after),
        }))
        return { items, changed_count: changedCount, matched_count: matchedCount }
      },
    }),
    route({
      does: 'Tell which ruleset an agent follows and why',
      method: 'GET',
      path: '/assignments/resolve',
      needs: 'rulesets:read',
      query: resolveAssignmentQuery,
      answers: resolvedAssignment,
      handle: async ({ who, query: { agent: agentId, environment } }) => {
        const known = await findKnownAgent(db, who.tenant, environment, agentId)
        const ask = known ? askOf(known) : { environment, agentId, tags: {} }
        const resolution = await resolve.assignment(who.tenant, ask)
        const order = await resolve.orderOf(who.tenant)
        return { agent_id: agentId, environment, order, asked: known?.asked ?? null, ...resolutionOnWire(resolution) }
      },
    }),
    route({
      does: 'List agents that were given a ruleset by name',
      method: 'GET',
      path: '/assignments',
      needs: 'rulesets:read',
      query: explicitAssignmentQuery,
      answers: explicitAssignmentList,
      handle: async ({ who, query: { environment, ruleset, limit = 50, cursor } }) => {
        const rows = await listExplicitRows(db, who.tenant, { environment, ruleset, after: placeIn(cursor) }, limit + 1)
        const items = rows.slice(0, limit).map((row) => ({
          agent_id: row.agentId,
          environment: row.environment,
          ruleset: row.ruleset,
          assigned_by: { kind: 'person' as const, id: row.by, label: row.byEmail ?? row.by },
          assigned_at: row.at.toISOString(),
          is_rolled_out: row.isRolledOut,
        }))
        const last = items.at(-1)
        return { items, next_cursor: rows.length > limit && last ? `${last.environment} ${last.agent_id}` : null }
      },
    }),
    route({
      does: 'Give agents a ruleset by name, or let them follow the rules again',
      method: 'PUT',
      path: '/assignments',
      needs: 'assignments:write',
      body: assignBody,
      answers: assignAnswer,
      handle: async ({ who, body: { agent_ids, environment, ruleset }, facts }) => {
        await requireRuleset(who.tenant, ruleset)
        return { changed: await assign.inEnvironment(who, environment, agent_ids, ruleset, facts) }
      },
    }),
  ]
}

function placeIn(cursor: string | undefined): { environment: string; agentId: string } | undefined {
  if (cursor === undefined) return undefined
  const [environment, agentId] = cursor.split(' ')
  if (environment === undefined || agentId === undefined) {
    throw invalidInput('querystring.cursor', 'Take next_cursor of the page before.')
  }
  return { environment, agentId }
}

function resolutionOnWire({ ruleset, source, ruleId, rulePattern }: Resolution): AssignmentResolution {
  // A draft has no id yet.
  const id = ruleId === 'draft' ? null : (ruleId ?? null)
  return { ruleset, source, rule_id: id, rule_pattern: rulePattern ?? null }
}

function ruleOnWire(row: RuleRow): AssignmentRule {
  return {
    id: row.id,
    priority: row.priority,
    pattern: row.pattern,
    tag_match: row.tagMatch,
    environment: row.environment,
    ruleset: row.ruleset,
    made_by: { kind: 'person', id: row.madeBy, label: row.madeByEmail ?? row.madeBy },
    made_at: row.madeAt.toISOString(),
    changed_at: row.changedAt.toISOString(),
    is_rolled_out: row.isRolledOut,
  }
}
