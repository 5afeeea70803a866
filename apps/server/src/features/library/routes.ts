import {
  type LibraryRule,
  libraryRule,
  libraryRuleChange,
  libraryRuleDetail,
  libraryRuleList,
  libraryRuleListQuery,
  libraryRuleParams,
  libraryRuleVersionParams,
  newLibraryRule,
  rulesetTemplateList,
} from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { notFound } from '../../kernel/problem.ts'
import { type Route, route } from '../roles/index.ts'
import { personRef } from '../rulesets/index.ts'
import { countRules, findRuleVersion, listRules, listUses, listVersions, type RuleVersion } from './library-table.ts'
import type { ManageRules } from './manage-rules.ts'
import { rulesetTemplates } from './templates.ts'

type Needs = { readonly db: Sql; readonly rules: ManageRules }

export function libraryRoutes({ db, rules }: Needs): readonly Route[] {
  const detail = async (tenant: string, ruleId: string, version?: number) => {
    const rule = await findRuleVersion(db, tenant, ruleId, version)
    if (!rule) throw notFound('rule')
    const [versions, uses] = await Promise.all([listVersions(db, tenant, ruleId), listUses(db, tenant, ruleId)])
    return {
      ...ruleOnWire(rule),
      yaml: { ruleset: rule.texts.ruleset, contract_bundle: rule.texts.contractBundle },
      versions: versions.map((one) => ({
        version: one.version,
        made_by: personRef(one.madeBy, one.madeByEmail),
        made_at: one.madeAt.toISOString(),
      })),
      used_by: uses.map(({ composition, version: used }) => ({ composition, version: used })),
    }
  }
  return [
    route({
      does: 'List the rules of the library',
      method: 'GET',
      path: '/library/rules',
      needs: 'rulesets:read',
      query: libraryRuleListQuery,
      answers: libraryRuleList,
      handle: async ({ who, query: { limit = 50, cursor, type, tag, q } }) => {
        const filter = { type, tag, text: q, after: cursor }
        const [rows, total] = await Promise.all([
          listRules(db, who.tenant, filter, limit + 1),
          countRules(db, who.tenant, filter),
        ])
        const page = rows.slice(0, limit)
        return {
          items: page.map(ruleOnWire),
          next_cursor: rows.length > limit ? (page.at(-1)?.ruleId ?? null) : null,
          total,
        }
      },
    }),
    route({
      does: 'Put a rule into the library',
      method: 'POST',
      path: '/library/rules',
      needs: 'rulesets:write',
      status: 201,
      body: newLibraryRule,
      answers: libraryRule,
      handle: async ({ who, body: { rule_id: ruleId, name, description, tags = [], yaml }, facts }) => {
        const given = { ruleId, name, description: textOf(description) ?? null, tags, text: yaml, field: 'yaml' }
        return ruleOnWire(await rules.create(who, given, facts))
      },
    }),
    route({
      does: 'Show a rule of the library with its versions and uses',
      method: 'GET',
      path: '/library/rules/:rule_id',
      needs: 'rulesets:read',
      params: libraryRuleParams,
      answers: libraryRuleDetail,
      handle: ({ who, params: { rule_id: ruleId } }) => detail(who.tenant, ruleId),
    }),
    route({
      does: 'Show a version of a rule',
      method: 'GET',
      path: '/library/rules/:rule_id/versions/:version',
      needs: 'rulesets:read',
      params: libraryRuleVersionParams,
      answers: libraryRuleDetail,
      handle: ({ who, params: { rule_id: ruleId, version } }) => detail(who.tenant, ruleId, version),
    }),
    route({
      does: 'Make the next version of a rule',
      method: 'PUT',
      path: '/library/rules/:rule_id',
      needs: 'rulesets:write',
      params: libraryRuleParams,
      body: libraryRuleChange,
      answers: libraryRule,
      handle: async ({ who, params: { rule_id: ruleId }, body: { name, description, tags, yaml }, facts }) => {
        const change = {
          field: 'yaml',
          ...(name === undefined ? {} : { name }),
          ...(description === undefined ? {} : { description: textOf(description) ?? null }),
          ...(tags === undefined ? {} : { tags }),
          ...(yaml === undefined ? {} : { text: yaml }),
        }
        return ruleOnWire(await rules.change(who, ruleId, change, facts))
      },
    }),
    route({
      does: 'Remove a rule that no composition uses, with all its versions',
      method: 'DELETE',
      path: '/library/rules/:rule_id',
      needs: 'rulesets:write',
      params: libraryRuleParams,
      answers: libraryRuleParams,
      handle: async ({ who, params: { rule_id: ruleId }, facts }) => {
        await rules.remove(who, ruleId, facts)
        return { rule_id: ruleId }
      },
    }),
    route({
      does: 'List rulesets to begin with',
      method: 'GET',
      path: '/library/templates',
      needs: 'rulesets:read',
      answers: rulesetTemplateList,
      handle: () => Promise.resolve({ items: [...rulesetTemplates()] }),
    }),
  ]
}

function textOf(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text
}

function ruleOnWire(rule: RuleVersion): LibraryRule {
  return {
    rule_id: rule.ruleId,
    name: rule.name,
    type: rule.type,
    description: rule.description,
    tags: [...rule.tags],
    version: rule.version,
    usage_count: rule.usageCount,
    made_by: personRef(rule.madeBy, rule.madeByEmail),
    made_at: rule.madeAt.toISOString(),
  }
}
