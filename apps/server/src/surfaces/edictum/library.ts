import { libraryRuleId, Type, yamlCharactersMax } from '@countersign/wire'
import type { importRuleset } from '../../features/compositions/index.ts'
import {
  findRuleVersion,
  listRules,
  listUses,
  listVersions,
  type ManageRules,
  type RuleVersion,
} from '../../features/library/index.ts'
import { type Caller, type Route, route } from '../../features/roles/index.ts'
import type { Sql } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'

type Needs = {
  readonly db: Sql
  readonly rules: ManageRules
  readonly importRuleset: ReturnType<typeof importRuleset>
}

const contractType = Type.Union([
  Type.Literal('pre'),
  Type.Literal('post'),
  Type.Literal('session'),
  Type.Literal('sandbox'),
])
const name = Type.String({ minLength: 1, maxLength: 255 })
const description = Type.Union([Type.Null(), Type.String({ maxLength: 2_000 })])
const tags = Type.Array(Type.String({ maxLength: 64 }), { maxItems: 64 })
const definition = Type.Record(Type.String(), Type.Unknown())
const idPath = Type.Object({ contract_id: libraryRuleId })
const listedMax = 10_000
/** A document of 1 MiB with every character escaped. */
const bodyBytesMax = 5 * 1_048_576

/** The library in the words of the older console: contracts (console §8). */
export function libraryRoutes({ db, rules, importRuleset: take }: Needs): readonly Route[] {
  const find = async (tenant: string, id: string, version?: number): Promise<RuleVersion> => {
    const found = await findRuleVersion(db, tenant, id, version)
    if (!found) throw missing(id, version)
    return found
  }
  const detail = async ({ tenant }: Caller, rule: RuleVersion) => ({
    ...versionOf(tenant, rule),
    versions: (await listVersions(db, tenant, rule.ruleId)).map((one) => ({
      version: one.version,
      created_at: one.madeAt.toISOString(),
      created_by: one.madeBy,
    })),
  })
  return [
    route({
      does: 'List the rules of the library, newest first',
      method: 'GET',
      path: '/contracts',
      needs: 'rulesets:read',
      query: Type.Object({
        type: Type.Optional(contractType),
        tag: Type.Optional(Type.String({ maxLength: 64 })),
        search: Type.Optional(Type.String({ maxLength: 200 })),
      }),
      handle: async ({ who, query: { type, tag, search } }) => {
        const found = await listRules(db, who.tenant, { type, tag, text: search }, listedMax)
        return found
          .toSorted((a, b) => b.madeAt.getTime() - a.madeAt.getTime())
          .map((rule) => ({ ...summaryOf(rule), usage_count: rule.usageCount }))
      },
    }),
    route({
      does: 'Put a rule into the library',
      method: 'POST',
      path: '/contracts',
      needs: 'rulesets:write',
      status: 201,
      body: Type.Object({
        contract_id: libraryRuleId,
        name,
        type: contractType,
        definition,
        description: Type.Optional(description),
        tags: Type.Optional(tags),
      }),
      handle: async ({ who, body, facts }) => {
        const text = textOf(body.definition, body.type)
        const { contract_id: ruleId } = body
        const given = { ruleId, name: body.name, description: body.description ?? null, tags: body.tags ?? [] }
        return detail(who, await rules.create(who, { ...given, text, field: 'definition' }, facts))
      },
    }),
    route({
      does: 'Take a ruleset apart into the library',
      method: 'POST',
      path: '/contracts/import',
      needs: 'rulesets:write',
      status: 201,
      bodyBytesMax,
      body: Type.Object({
        yaml_content: Type.String({ maxLength: yamlCharactersMax }),
        existing: Type.Optional(Type.Union([Type.Literal('skip'), Type.Literal('merge'), Type.Literal('replace')])),
      }),
      handle: async ({ who, body: { yaml_content: yaml, existing = 'skip' }, facts }) => {
        const made = await take(who, { yaml, existing, field: 'yaml_content' }, facts)
        return {
          contracts_created: made.created,
          contracts_updated: made.updated,
          bundle_composition_created: made.composition_is === 'created' ? made.composition : null,
          contracts_unchanged: made.unchanged,
          composition_is: made.composition_is,
        }
      },
    }),
    route({
      does: 'Show a rule with its versions',
      method: 'GET',
      path: '/contracts/:contract_id',
      needs: 'rulesets:read',
      params: idPath,
      handle: async ({ who, params: { contract_id: id } }) => detail(who, await find(who.tenant, id)),
    }),
    route({
      does: 'Show one version of a rule',
      method: 'GET',
      path: '/contracts/:contract_id/versions/:version',
      needs: 'rulesets:read',
      params: Type.Object({
        contract_id: libraryRuleId,
        version: Type.Integer({ minimum: 1, maximum: 2_147_483_647 }),
      }),
      handle: async ({ who, params: { contract_id: id, version } }) => ({
        ...versionOf(who.tenant, await find(who.tenant, id, version)),
        versions: [],
      }),
    }),
    route({
      does: 'Make the next version of a rule',
      method: 'PUT',
      path: '/contracts/:contract_id',
      needs: 'rulesets:write',
      params: idPath,
      body: Type.Object(
        {
          name: Type.Optional(name),
          description: Type.Optional(description),
          definition: Type.Optional(definition),
          tags: Type.Optional(tags),
        },
        { minProperties: 1 },
      ),
      handle: async ({ who, params: { contract_id: id }, body, facts }) => {
        const before = await find(who.tenant, id)
        const change = {
          field: 'definition',
          ...(body.name === undefined ? {} : { name: body.name }),
          ...(body.description === undefined ? {} : { description: body.description }),
          ...(body.tags === undefined ? {} : { tags: body.tags }),
          ...(body.definition === undefined ? {} : { text: textOf(body.definition, before.type) }),
        }
        return detail(who, await rules.change(who, id, change, facts))
      },
    }),
    route({
      does: 'Remove a rule that no composition uses',
      method: 'DELETE',
      path: '/contracts/:contract_id',
      needs: 'rulesets:write',
      params: idPath,
      answersItself: true,
      handle: async ({ who, params: { contract_id: id }, facts, reply }) => {
        await rules.remove(who, id, facts)
        await reply.code(204).send()
      },
    }),
    route({
      does: 'List the compositions that use a rule',
      method: 'GET',
      path: '/contracts/:contract_id/usage',
      needs: 'rulesets:read',
      params: idPath,
      handle: async ({ who, params: { contract_id: id } }) => {
        await find(who.tenant, id)
        const uses = await listUses(db, who.tenant, id)
        return uses.map((one) => ({ composition_id: one.compositionId, composition_name: one.composition }))
      },
    }),
  ]
}

/** JSON is YAML; the type may stand beside the definition or in it. */
function textOf(given: Readonly<Record<string, unknown>>, type: string): string {
  return JSON.stringify({ type, ...given })
}

function summaryOf(rule: RuleVersion) {
  return {
    contract_id: rule.ruleId,
    name: rule.name,
    type: rule.type,
    tags: rule.tags,
    version: rule.version,
    description: rule.description,
    created_at: rule.madeAt.toISOString(),
  }
}

function versionOf(tenant: string, rule: RuleVersion) {
  return {
    ...summaryOf(rule),
    id: rule.id,
    tenant_id: tenant,
    definition: rule.definition,
    is_latest: rule.version === rule.latestVersion,
    created_by: rule.madeBy,
  }
}

function missing(id: string, version: number | undefined): Problem {
  const what = version === undefined ? `Contract '${id}'` : `Contract '${id}' version ${version}`
  return new Problem(problems.notFound, `${what} not found.`)
}
