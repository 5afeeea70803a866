import {
  type CompositionSummary,
  composition,
  compositionChange,
  compositionList,
  compositionParams,
  compositionPreview,
  compositionRevision,
  compositionRollout,
  compositionRolloutBody,
  newComposition,
  pageQuery,
  rulesetImport,
  rulesetImportBody,
  Type,
  type Composition as WireComposition,
} from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { type Route, route } from '../roles/index.ts'
import type { RollOut } from '../rollouts/index.ts'
import { diagnosticOnWire, personRef } from '../rulesets/index.ts'
import type { ComposeRulesets } from './compose-ruleset.ts'
import type { Composition } from './composition.ts'
import { listCompositions } from './compositions-table.ts'
import type { importRuleset } from './import-ruleset.ts'
import type { ManageCompositions, WholeComposition } from './manage-compositions.ts'

type Needs = {
  readonly db: Sql
  readonly compositions: ManageCompositions
  readonly compose: ComposeRulesets
  readonly importRuleset: ReturnType<typeof importRuleset>
  readonly rollOut: RollOut
}

/** A document of 1 MiB with every character escaped. */
const bodyBytesMax = 5 * 1_048_576

type BodyItem = {
  readonly rule_id: string
  readonly version?: number
  readonly mode?: 'enforce' | 'observe' | null
  readonly is_enabled?: boolean
}

export function compositionRoutes(needs: Needs): readonly Route[] {
  const { db, compositions, compose, rollOut } = needs
  return [
    route({
      does: 'Take a ruleset apart into rules of the library and a composition',
      method: 'POST',
      path: '/library/import',
      needs: 'rulesets:write',
      status: 201,
      bodyBytesMax,
      body: rulesetImportBody,
      answers: rulesetImport,
      handle: ({ who, body: { yaml, existing }, facts }) =>
        needs.importRuleset(who, { yaml, existing, field: 'yaml' }, facts),
    }),
    route({
      does: 'List compositions',
      method: 'GET',
      path: '/compositions',
      needs: 'rulesets:read',
      query: Type.Object(pageQuery),
      answers: compositionList,
      handle: async ({ who, query: { limit = 50, cursor } }) => {
        const rows = await listCompositions(db, who.tenant, cursor, limit + 1)
        const page = rows.slice(0, limit)
        return {
          items: page.map(summaryOnWire),
          next_cursor: rows.length > limit ? (page.at(-1)?.name ?? null) : null,
        }
      },
    }),
    route({
      does: 'Make a composition',
      method: 'POST',
      path: '/compositions',
      needs: 'rulesets:write',
      status: 201,
      body: newComposition,
      answers: composition,
      handle: async ({ who, body: { name, default_mode: defaultMode, items, ...words }, facts }) =>
        compositionOnWire(
          await compositions.create(who, name, { ...words, defaultMode, items: itemsIn(items) }, facts),
        ),
    }),
    route({
      does: 'Show a composition',
      method: 'GET',
      path: '/compositions/:name',
      needs: 'rulesets:read',
      params: compositionParams,
      answers: composition,
      handle: async ({ who, params: { name } }) => compositionOnWire(await compositions.find(who.tenant, name)),
    }),
    route({
      does: 'Change a composition',
      method: 'PUT',
      path: '/compositions/:name',
      needs: 'rulesets:write',
      params: compositionParams,
      body: compositionChange,
      answers: composition,
      handle: async ({ who, params: { name }, body, facts }) => {
        const { default_mode: defaultMode, items, expected_edit: edit, ...words } = body
        const change = { ...words, defaultMode, items: itemsIn(items) }
        return compositionOnWire(await compositions.change(who, name, edit, change, facts))
      },
    }),
    route({
      does: 'Remove a composition; rulesets made of it stay',
      method: 'DELETE',
      path: '/compositions/:name',
      needs: 'rulesets:write',
      params: compositionParams,
      answers: compositionParams,
      handle: async ({ who, params: { name }, facts }) => {
        await compositions.remove(who, name, facts)
        return { name }
      },
    }),
    route({
      does: 'Show the ruleset a composition makes',
      method: 'POST',
      path: '/compositions/:name/preview',
      needs: 'rulesets:read',
      params: compositionParams,
      answers: compositionPreview,
      handle: async ({ who, params: { name } }) => {
        const { text, rules, ok, diagnostics, sameAsVersion } = await compose.preview(who.tenant, name)
        return {
          yaml: text,
          rule_count: rules.length,
          is_valid: ok,
          diagnostics: diagnostics.map(diagnosticOnWire),
          same_as_version: sameAsVersion,
        }
      },
    }),
    route({
      does: 'Keep what a composition makes as the next revision of its ruleset',
      method: 'POST',
      path: '/compositions/:name/revisions',
      needs: 'rulesets:write',
      status: 201,
      params: compositionParams,
      answers: compositionRevision,
      handle: async ({ who, params: { name }, facts }) => {
        const { ruleset, version, isNew } = await compose.make(who, name, facts)
        return { ruleset, version, is_new: isNew }
      },
    }),
    route({
      does: 'Make what a composition makes live in an environment',
      method: 'POST',
      path: '/compositions/:name/rollouts',
      needs: 'rollouts:write',
      status: 201,
      params: compositionParams,
      body: compositionRolloutBody,
      answers: compositionRollout,
      handle: async ({ who, params: { name }, body: { environment, note }, facts }) => {
        const { ruleset, version, isNew } = await compose.make(who, name, facts)
        const { id } = await rollOut(who, { ruleset, version, environment, note }, facts)
        return { ruleset, version, is_new: isNew, rollout_id: id }
      },
    }),
  ]
}

function itemsIn(items: readonly BodyItem[] | undefined) {
  return items?.map(({ rule_id: ruleId, version, mode, is_enabled: isEnabled }) => ({
    ruleId,
    version,
    mode,
    isEnabled,
  }))
}

function summaryOnWire(one: Composition): CompositionSummary {
  return {
    name: one.name,
    description: one.description,
    default_mode: one.defaultMode,
    rule_count: one.ruleCount,
    edit: one.edit,
    newer_versions: one.newerVersions,
    made_by: personRef(one.madeBy, one.madeByEmail),
    changed_by: personRef(one.changedBy, one.changedByEmail),
    changed_at: one.changedAt.toISOString(),
  }
}

function compositionOnWire(one: WholeComposition): WireComposition {
  return {
    ...summaryOnWire(one),
    items: one.items.map((item) => ({
      rule_id: item.ruleId,
      version: item.version,
      mode: item.mode,
      is_enabled: item.isEnabled,
      name: item.name,
      type: item.type,
      latest_version: item.latestVersion,
    })),
    tools: one.tools,
    observability: one.observability,
  }
}
