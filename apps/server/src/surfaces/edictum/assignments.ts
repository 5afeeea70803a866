import { environmentName, identifier, idText, Type, tagMatch } from '@countersign/wire'
import {
  type AssignmentRule,
  askOf,
  findKnownAgent,
  listRules,
  type ManageAssignmentRules,
  type ResolveAssignment,
} from '../../features/assignments/index.ts'
import { type Route, route } from '../../features/roles/index.ts'
import type { Sql } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'

type Needs = {
  readonly db: Sql
  readonly rules: ManageAssignmentRules
  readonly resolveAssignment: ResolveAssignment
}

const priority = Type.Integer({ minimum: 0, maximum: 2_147_483_647 })
const tags = Type.Union([tagMatch, Type.Null()])
const ruleIds = Type.Object({ id: idText })
const draft = Type.Object({
  priority,
  pattern: Type.String(),
  tag_match: Type.Optional(tags),
  bundle_name: identifier,
  env: environmentName,
})
// A null says nothing here, as it always did; so tags are cleared with an empty object.
const change = Type.Object({
  priority: Type.Optional(Type.Union([priority, Type.Null()])),
  pattern: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  tag_match: Type.Optional(tags),
  bundle_name: Type.Optional(Type.Union([identifier, Type.Null()])),
  env: Type.Optional(Type.Union([environmentName, Type.Null()])),
})

/** Assignment rules in the words of older clients (console §18.2–3). */
export function assignmentRoutes({ db, rules, resolveAssignment }: Needs): readonly Route[] {
  return [
    route({
      does: 'List assignment rules',
      method: 'GET',
      path: '/assignment-rules',
      needs: 'rulesets:read',
      handle: async ({ who }) => (await listRules(db, who.tenant)).map(ruleOf),
    }),
    route({
      does: 'Add an assignment rule',
      method: 'POST',
      path: '/assignment-rules',
      needs: 'assignments:write',
      status: 201,
      body: draft,
      handle: async ({ who, body, facts }) => {
        const rule = {
          priority: body.priority,
          pattern: goodPattern(body.pattern),
          tagMatch: body.tag_match ?? null,
          environment: body.env,
          ruleset: body.bundle_name,
        }
        return ruleOf(await rules.add(who, rule, facts))
      },
    }),
    route({
      does: 'Change an assignment rule',
      method: 'PATCH',
      path: '/assignment-rules/:id',
      needs: 'assignments:write',
      params: ruleIds,
      body: change,
      handle: async ({ who, params: { id }, body, facts }) => {
        const isCleared = body.tag_match && Object.keys(body.tag_match).length === 0
        const changed = await rules.change(
          who,
          id,
          {
            priority: body.priority ?? undefined,
            pattern: body.pattern == null ? undefined : goodPattern(body.pattern),
            tagMatch: isCleared ? null : (body.tag_match ?? undefined),
            environment: body.env ?? undefined,
            ruleset: body.bundle_name ?? undefined,
          },
          facts,
        )
        return ruleOf(changed)
      },
    }),
    route({
      does: 'Remove an assignment rule',
      method: 'DELETE',
      path: '/assignment-rules/:id',
      needs: 'assignments:write',
      params: ruleIds,
      handle: async ({ who, params: { id }, facts }) => {
        await rules.remove(who, id, facts)
        return { id, deleted: true }
      },
    }),
    route({
      does: 'Tell which ruleset an agent follows and why',
      method: 'GET',
      path: '/assignment-rules/resolve/:agent_id',
      needs: 'rulesets:read',
      params: Type.Object({ agent_id: identifier }),
      query: Type.Object({ env: Type.Optional(environmentName) }),
      handle: async ({ who, params: { agent_id }, query: { env = 'production' } }) => {
        const known = await findKnownAgent(db, who.tenant, env, agent_id)
        const ask = known ? askOf(known) : { environment: env, agentId: agent_id, tags: {} }
        const { ruleset, source, ruleId, rulePattern } = await resolveAssignment(who.tenant, ask)
        return { bundle_name: ruleset, source, rule_id: ruleId ?? null, rule_pattern: rulePattern ?? null }
      },
    }),
  ]
}

/** Answered with 400 since ever. */
function goodPattern(pattern: string): string {
  if (/^[ -.0-[\]-~]{1,200}$/.test(pattern)) return pattern
  throw new Problem(
    problems.malformed,
    'Pattern must be 1 to 200 printable ASCII characters without slashes or backslashes.',
  )
}

function ruleOf(rule: AssignmentRule) {
  return {
    id: rule.id,
    priority: rule.priority,
    pattern: rule.pattern,
    tag_match: rule.tagMatch,
    bundle_name: rule.ruleset,
    env: rule.environment,
  }
}
