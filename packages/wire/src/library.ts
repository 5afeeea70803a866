import { environmentName, identifier, idText, instant, nullable, pageOf, pageQuery, principalRef } from './list.ts'
import { rulesetDiagnostic, yamlCharactersMax } from './rulesets.ts'
import { type Static, Type } from './type.ts'

export const libraryRuleId = Type.String({
  title: 'small letters, digits, underscore and hyphen, 128 at most',
  pattern: '^[a-z0-9][a-z0-9_-]{0,127}$',
})
export const compositionName = Type.String({
  title: 'small letters, digits, dot, underscore and hyphen, 128 at most',
  pattern: '^[a-z0-9][a-z0-9._-]{0,127}$',
})
const ruleType = Type.Union([
  Type.Literal('pre'),
  Type.Literal('post'),
  Type.Literal('session'),
  Type.Literal('sandbox'),
])
const mode = Type.Union([Type.Literal('enforce'), Type.Literal('observe')])
const version = Type.Integer({ minimum: 1, maximum: 2_147_483_647 })
const tags = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 32 })
const ruleName = Type.String({ minLength: 1, maxLength: 255 })
const description = Type.String({ maxLength: 2_000 })
/** One rule as a YAML mapping, in either dialect; its id is the library's. */
const ruleYaml = Type.String({ minLength: 1, maxLength: 65_536 })

/** A reusable rule. Every change makes a version; versions are never changed. */
export const libraryRule = Type.Object({
  rule_id: libraryRuleId,
  name: Type.String(),
  type: ruleType,
  description: nullable(Type.String()),
  tags: Type.Array(Type.String()),
  version: Type.Integer(),
  usage_count: Type.Integer({ description: 'Compositions that use any version of it' }),
  made_by: principalRef,
  made_at: instant,
})
export type LibraryRule = Static<typeof libraryRule>

export const libraryRuleDetail = Type.Object({
  ...libraryRule.properties,
  yaml: Type.Object({ ruleset: Type.String(), contract_bundle: Type.String() }),
  versions: Type.Array(Type.Object({ version: Type.Integer(), made_by: principalRef, made_at: instant })),
  used_by: Type.Array(Type.Object({ composition: compositionName, version: Type.Integer() })),
})
export type LibraryRuleDetail = Static<typeof libraryRuleDetail>

export const libraryRuleList = pageOf(libraryRule)
export const libraryRuleListQuery = Type.Object({
  ...pageQuery,
  type: Type.Optional(ruleType),
  tag: Type.Optional(Type.String({ maxLength: 64 })),
  q: Type.Optional(Type.String({ maxLength: 200, description: 'Part of the id, name or description' })),
})
export const libraryRuleParams = Type.Object({ rule_id: libraryRuleId })
export const libraryRuleVersionParams = Type.Object({ rule_id: libraryRuleId, version })

/** What the checker refuses answers 422 with `diagnostics`. */
export const newLibraryRule = Type.Object(
  {
    rule_id: libraryRuleId,
    name: ruleName,
    description: Type.Optional(description),
    tags: Type.Optional(tags),
    yaml: ruleYaml,
  },
  { additionalProperties: false },
)
export const libraryRuleChange = Type.Object(
  {
    name: Type.Optional(ruleName),
    description: Type.Optional(description),
    tags: Type.Optional(tags),
    yaml: Type.Optional(ruleYaml),
  },
  { additionalProperties: false, minProperties: 1 },
)

/** A rule at its place; a version is pinned until somebody upgrades it. */
export const compositionItem = Type.Object({
  rule_id: libraryRuleId,
  version: Type.Integer(),
  mode: nullable(mode),
  is_enabled: Type.Boolean(),
  name: Type.String(),
  type: ruleType,
  latest_version: Type.Integer(),
})
export const compositionItemBody = Type.Object(
  {
    rule_id: libraryRuleId,
    version: Type.Optional(Type.Integer({ minimum: 1, description: 'The newest unless told' })),
    mode: Type.Optional(nullable(mode)),
    is_enabled: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
)

/** Rules of the library in an order, out of which a ruleset of the same name is made. */
export const compositionSummary = Type.Object({
  name: compositionName,
  description: nullable(Type.String()),
  default_mode: mode,
  rule_count: Type.Integer(),
  edit: Type.Integer({ description: 'Counts its changes; give it back with a change' }),
  newer_versions: Type.Integer({ description: 'Items whose rule has a newer version' }),
  made_by: principalRef,
  changed_by: principalRef,
  changed_at: instant,
})
export type CompositionSummary = Static<typeof compositionSummary>

export const composition = Type.Object({
  ...compositionSummary.properties,
  items: Type.Array(compositionItem),
  tools: Type.Unknown({ description: 'The document’s tools section, or null' }),
  observability: Type.Unknown({ description: 'The document’s observability section, or null' }),
})
export type Composition = Static<typeof composition>
export const compositionList = pageOf(compositionSummary)
export const compositionParams = Type.Object({ name: compositionName })

const compositionFields = {
  description: Type.Optional(description),
  default_mode: Type.Optional(mode),
  items: Type.Optional(Type.Array(compositionItemBody, { maxItems: 100 })),
  tools: Type.Optional(Type.Unknown()),
  observability: Type.Optional(Type.Unknown()),
}
export const newComposition = Type.Object(
  { name: compositionName, ...compositionFields },
  { additionalProperties: false },
)
/** `items` replaces all of them, in the order given; one without a version keeps the version it had. */
export const compositionChange = Type.Object(
  {
    ...compositionFields,
    expected_edit: Type.Integer({ description: 'The edit it was read at; another one by now answers 409' }),
  },
  { additionalProperties: false },
)

/** The document as it would be uploaded. Nothing is kept. */
export const compositionPreview = Type.Object({
  yaml: Type.String(),
  rule_count: Type.Integer(),
  is_valid: Type.Boolean(),
  diagnostics: Type.Array(rulesetDiagnostic),
  same_as_version: nullable(Type.Integer({ description: 'The revision that already has exactly this text' })),
})
export type CompositionPreview = Static<typeof compositionPreview>

export const compositionRevision = Type.Object({
  ruleset: identifier,
  version: Type.Integer(),
  is_new: Type.Boolean({ description: 'False when a revision had exactly this text already' }),
})
export const compositionRolloutBody = Type.Object(
  { environment: environmentName, note: Type.Optional(Type.String({ maxLength: 2_000 })) },
  { additionalProperties: false },
)
export const compositionRollout = Type.Object({ ...compositionRevision.properties, rollout_id: idText })

export const rulesetImportBody = Type.Object(
  {
    yaml: Type.String({ maxLength: yamlCharactersMax }),
    /** When a composition of that name exists: leave it as it is, put new rules behind its own, or replace its rules. */
    existing: Type.Optional(Type.Union([Type.Literal('skip'), Type.Literal('merge'), Type.Literal('replace')])),
  },
  { additionalProperties: false },
)
export const rulesetImport = Type.Object({
  created: Type.Array(libraryRuleId),
  updated: Type.Array(libraryRuleId),
  unchanged: Type.Array(libraryRuleId),
  composition: compositionName,
  composition_is: Type.Union([
    Type.Literal('created'),
    Type.Literal('merged'),
    Type.Literal('replaced'),
    Type.Literal('skipped'),
  ]),
})
export type RulesetImport = Static<typeof rulesetImport>

export const rulesetTemplate = Type.Object({
  name: Type.String(),
  title: Type.String(),
  description: Type.String(),
  rule_count: Type.Integer(),
  yaml: Type.String({ description: 'A complete document: to edit as a ruleset, or to import into the library' }),
})
export type RulesetTemplate = Static<typeof rulesetTemplate>
export const rulesetTemplateList = Type.Object({ items: Type.Array(rulesetTemplate) })
