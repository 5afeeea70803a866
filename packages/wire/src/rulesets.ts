import { environmentName, identifier, idText, instant, nullable, pageOf, principalRef } from './list.ts'
import { type Static, Type } from './type.ts'

/** Room for a source that extends others; what is served is held to 512 KiB in either rendering. */
export const yamlCharactersMax = 1_048_576
export const rulesetNoteMax = 2_000

export const rulesetDialect = Type.Union([Type.Literal('ruleset'), Type.Literal('contract_bundle')])
export type RulesetDialect = Static<typeof rulesetDialect>

export const rulesetVersion = Type.Integer({ minimum: 1, maximum: 2_147_483_647 })

/** Lines and columns count from 1, columns and offsets in UTF-16 units, ends are exclusive. */
export const rulesetDiagnostic = Type.Object({
  severity: Type.Union([Type.Literal('error'), Type.Literal('warning')]),
  code: Type.String(),
  message: Type.String(),
  path: Type.String({ description: 'JSON pointer into the document as written' }),
  line: Type.Integer(),
  column: Type.Integer(),
  end_line: Type.Integer(),
  end_column: Type.Integer(),
  offset: Type.Integer(),
  end_offset: Type.Integer(),
  hint: Type.Optional(Type.String()),
})
export type RulesetDiagnostic = Static<typeof rulesetDiagnostic>

const mode = Type.Union([Type.Literal('enforce'), Type.Literal('observe')])

export const outlineRule = Type.Object({
  id: Type.String(),
  type: Type.Union([Type.Literal('pre'), Type.Literal('post'), Type.Literal('session'), Type.Literal('sandbox')]),
  action: Type.Union([Type.Literal('block'), Type.Literal('ask'), Type.Literal('warn'), Type.Literal('redact')]),
  mode: mode,
  is_enabled: Type.Boolean(),
  tools: Type.Array(Type.String(), { description: 'What it is about; empty for every tool' }),
  message: Type.String(),
  line: Type.Integer(),
  end_line: Type.Integer(),
})

/** What a document says, as the editor's sidebar and the revision's page list it. */
export const rulesetOutline = Type.Object({
  name: Type.String(),
  description: nullable(Type.String()),
  default_mode: mode,
  extends: nullable(Type.String()),
  tools: Type.Array(
    Type.Object({
      name: Type.String(),
      side_effect: Type.String(),
      idempotent: Type.Boolean(),
      line: Type.Integer(),
      end_line: Type.Integer(),
    }),
  ),
  rules: Type.Array(outlineRule),
})
export type RulesetOutline = Static<typeof rulesetOutline>

const bothRenderings = <S extends Parameters<typeof nullable>[0]>(schema: S) =>
  Type.Object({ ruleset: schema, contract_bundle: schema })

export const rulesetRevision = Type.Object({
  id: idText,
  ruleset: identifier,
  version: Type.Integer(),
  dialect: rulesetDialect,
  hash: Type.String({ description: 'SHA-256 of the rendering it was written in, as agents report it' }),
  hashes: bothRenderings(Type.String()),
  bytes: bothRenderings(Type.Integer()),
  rule_count: Type.Integer(),
  note: nullable(Type.String()),
  parents: Type.Array(Type.Object({ name: Type.String(), version: Type.Integer(), hash: Type.String() }), {
    description: 'The revisions it extends, nearest first, pinned when it was uploaded',
  }),
  uploaded_by: principalRef,
  uploaded_at: instant,
  live_in: Type.Array(environmentName),
})
export type RulesetRevision = Static<typeof rulesetRevision>

export const rulesetRevisionDetail = Type.Object({
  ...rulesetRevision.properties,
  yaml: bothRenderings(Type.String()),
  source: Type.String({ description: 'As uploaded; differs from what is served only when it extends another' }),
  outline: rulesetOutline,
})
export type RulesetRevisionDetail = Static<typeof rulesetRevisionDetail>

export const rulesetLive = Type.Object({
  environment: environmentName,
  version: Type.Integer(),
  rollout_id: idText,
  rolled_out_at: instant,
  rolled_out_by: principalRef,
})

export const rulesetSummary = Type.Object({
  name: identifier,
  description: nullable(Type.String()),
  latest: rulesetRevision,
  revision_count: Type.Integer(),
  live: Type.Array(rulesetLive),
})
export type RulesetSummary = Static<typeof rulesetSummary>

export const rulesetList = pageOf(rulesetSummary)
export const rulesetRevisionList = pageOf(rulesetRevision)

export const rulesetNameParams = Type.Object({ name: identifier })
export const rulesetVersionParams = Type.Object({ name: identifier, version: rulesetVersion })

export const checkRulesetBody = Type.Object(
  { yaml: Type.String({ maxLength: yamlCharactersMax }) },
  { additionalProperties: false },
)
export const checkedRuleset = Type.Object({
  is_valid: Type.Boolean(),
  name: nullable(Type.String()),
  dialect: nullable(rulesetDialect),
  diagnostics: Type.Array(rulesetDiagnostic),
  outline: nullable(rulesetOutline),
  same_as_version: nullable(
    Type.Integer({ description: 'The revision of this name that already has exactly this text' }),
  ),
})
export type CheckedRuleset = Static<typeof checkedRuleset>

/** A document that does not pass answers 422 with `diagnostics` beside `errors`. */
export const uploadRulesetBody = Type.Object(
  {
    yaml: Type.String({ maxLength: yamlCharactersMax }),
    note: Type.Optional(Type.String({ maxLength: rulesetNoteMax })),
  },
  { additionalProperties: false },
)

const json = Type.Unknown()
export const fieldChange = Type.Object({
  field: Type.String(),
  before: Type.Optional(json),
  after: Type.Optional(json),
})
const changedRule = Type.Object({
  id: Type.String(),
  type: Type.String(),
  before_line: Type.Integer(),
  after_line: Type.Integer(),
  fields: Type.Array(fieldChange),
})
const namedRule = Type.Object({
  id: Type.String(),
  type: Type.String(),
  action: Type.String(),
  mode: mode,
  message: Type.String(),
  line: Type.Integer(),
})

/** What changes for an agent. Rules in document order, removed ones in the order of the older side. */
export const semanticDiff = Type.Object({
  is_same: Type.Boolean(),
  document: Type.Array(fieldChange),
  added: Type.Array(namedRule),
  removed: Type.Array(namedRule),
  changed: Type.Array(changedRule),
  modes: Type.Array(Type.Object({ id: Type.String(), before: mode, after: mode })),
  moved: Type.Array(Type.String()),
  tools: Type.Array(Type.Object({ name: Type.String(), before: Type.Optional(json), after: Type.Optional(json) })),
})
export type SemanticDiff = Static<typeof semanticDiff>

export const rulesetDiffQuery = Type.Object({ from: rulesetVersion, to: rulesetVersion })
export const rulesetDiff = Type.Object({
  name: identifier,
  from: Type.Integer(),
  to: Type.Integer(),
  dialect: rulesetDialect,
  semantic: semanticDiff,
  before_yaml: Type.String(),
  after_yaml: Type.String(),
})
export type RulesetDiffAnswer = Static<typeof rulesetDiff>
