import { compositionName, environmentName, Type } from '@countersign/wire'
import {
  type ComposeRulesets,
  listCompositions,
  type ManageCompositions,
  type WholeComposition,
} from '../../features/compositions/index.ts'
import { type Caller, type Route, route } from '../../features/roles/index.ts'
import type { RollOut } from '../../features/rollouts/index.ts'
import type { Sql } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'

type Needs = {
  readonly db: Sql
  readonly compositions: ManageCompositions
  readonly compose: ComposeRulesets
  readonly rollOut: RollOut
}

const mode = Type.Union([Type.Literal('enforce'), Type.Literal('observe')])
const path = Type.Object({ name: compositionName })
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()])
const section = Type.Optional(Type.Union([Type.Null(), Type.Record(Type.String(), Type.Unknown())]))
const fields = {
  description: Type.Optional(orNull(Type.String({ maxLength: 2_000 }))),
  defaults_mode: Type.Optional(mode),
  // What the older console stored and did nothing about is refused, not pretended.
  update_strategy: Type.Optional(Type.Literal('manual')),
  contracts: Type.Optional(
    Type.Array(
      Type.Object({
        contract_id: Type.String({ maxLength: 128 }),
        contract_version: Type.Optional(Type.Integer({ minimum: 1, maximum: 2_147_483_647 })),
        position: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
        mode_override: Type.Optional(orNull(mode)),
        enabled: Type.Optional(Type.Boolean()),
      }),
      { maxItems: 100 },
    ),
  ),
  tools_config: section,
  observability: section,
}

type Body = {
  readonly description?: string | null
  readonly defaults_mode?: 'enforce' | 'observe'
  readonly contracts?: readonly {
    readonly contract_id: string
    readonly contract_version?: number
    readonly position?: number
    readonly mode_override?: 'enforce' | 'observe' | null
    readonly enabled?: boolean
  }[]
  readonly tools_config?: unknown
  readonly observability?: unknown
}

const listedMax = 10_000

/** Compositions in the words of the older console (console §9). Pins stay unless a version is given. */
export function compositionRoutes({ db, compositions, compose, rollOut }: Needs): readonly Route[] {
  return [
    route({
      does: 'List compositions',
      method: 'GET',
      path: '/compositions',
      needs: 'rulesets:read',
      handle: async ({ who }) =>
        (await listCompositions(db, who.tenant, undefined, listedMax)).map((one) => ({
          ...summaryOf(one),
          contract_count: one.ruleCount,
        })),
    }),
    route({
      does: 'Make a composition',
      method: 'POST',
      path: '/compositions',
      needs: 'rulesets:write',
      status: 201,
      body: Type.Object({ name: compositionName, ...fields }),
      handle: async ({ who, body: { name, ...body }, facts }) =>
        detailOf(who, await compositions.create(who, name, wordsOf(body), facts)),
    }),
    route({
      does: 'Show a composition',
      method: 'GET',
      path: '/compositions/:name',
      needs: 'rulesets:read',
      params: path,
      handle: async ({ who, params: { name } }) => detailOf(who, await compositions.find(who.tenant, name)),
    }),
    route({
      does: 'Change a composition',
      method: 'PUT',
      path: '/compositions/:name',
      needs: 'rulesets:write',
      params: path,
      body: Type.Object({ ...fields, expected_edit: Type.Optional(Type.Integer()) }),
      handle: async ({ who, params: { name }, body: { expected_edit: edit, ...body }, facts }) =>
        detailOf(who, await compositions.change(who, name, edit, wordsOf(body), facts)),
    }),
    route({
      does: 'Remove a composition; rulesets made of it stay',
      method: 'DELETE',
      path: '/compositions/:name',
      needs: 'rulesets:write',
      params: path,
      answersItself: true,
      handle: async ({ who, params: { name }, facts, reply }) => {
        await compositions.remove(who, name, facts)
        await reply.code(204).send()
      },
    }),
    route({
      does: 'Show the ruleset a composition makes',
      method: 'POST',
      path: '/compositions/:name/preview',
      needs: 'rulesets:read',
      params: path,
      handle: async ({ who, params: { name } }) => {
        const { text, contractBundleText, rules, diagnostics } = await compose.preview(who.tenant, name)
        const errors = diagnostics.filter(({ severity }) => severity === 'error')
        return {
          yaml_content: contractBundleText ?? text,
          contracts_count: rules.length,
          validation_errors:
            rules.length === 0 && errors.length === 0
              ? ['The composition has no enabled contracts.']
              : errors.map(({ line, message }) => `Line ${line}: ${message}`),
        }
      },
    }),
    route({
      does: 'Make what a composition makes live',
      method: 'POST',
      path: '/compositions/:name/deploy',
      needs: 'rollouts:write',
      status: 201,
      params: path,
      body: Type.Object({ env: environmentName }),
      handle: async ({ who, params: { name }, body: { env: environment }, facts }) => {
        const whole = await compositions.find(who.tenant, name)
        if (!whole.items.some(({ isEnabled }) => isEnabled)) {
          throw new Problem(problems.invalidInput, `Composition '${name}' has no enabled contracts.`)
        }
        const { ruleset, version, rules } = await compose.make(who, name, facts)
        const { id } = await rollOut(who, { ruleset, version, environment }, facts)
        return {
          bundle_name: ruleset,
          bundle_version: version,
          contracts_assembled: rules.map((rule) => ({
            contract_id: rule.of,
            version: rule.version,
            mode: rule.mode,
            shadow: rule.isShadow,
          })),
          deployment_id: id,
        }
      },
    }),
  ]
}

function wordsOf({ description, defaults_mode: defaultMode, contracts, tools_config: tools, observability }: Body) {
  return {
    description,
    defaultMode,
    items: contracts
      ?.map((one, at) => ({ ...one, order: one.position ?? at }))
      .toSorted((a, b) => a.order - b.order)
      .map((one) => ({
        ruleId: one.contract_id,
        version: one.contract_version,
        mode: one.mode_override,
        isEnabled: one.enabled,
        position: one.position,
      })),
    ...(tools === undefined ? {} : { tools }),
    ...(observability === undefined ? {} : { observability }),
  }
}

type Summary = Pick<
  WholeComposition,
  'name' | 'description' | 'defaultMode' | 'changedAt' | 'madeBy' | 'madeByEmail' | 'edit'
>

function summaryOf(one: Summary) {
  return {
    name: one.name,
    description: one.description,
    defaults_mode: one.defaultMode,
    update_strategy: 'manual',
    updated_at: one.changedAt.toISOString(),
    created_by: one.madeByEmail ?? one.madeBy,
    edit: one.edit,
  }
}

function detailOf({ tenant }: Caller, one: WholeComposition) {
  return {
    ...summaryOf(one),
    id: one.id,
    tenant_id: tenant,
    contracts: one.items.map((item) => ({
      contract_id: item.ruleId,
      contract_name: item.name,
      contract_type: item.type,
      contract_version: item.version,
      position: item.position,
      mode_override: item.mode,
      enabled: item.isEnabled,
      has_newer_version: item.latestVersion > item.version,
    })),
    tools_config: one.tools,
    observability: one.observability,
  }
}
