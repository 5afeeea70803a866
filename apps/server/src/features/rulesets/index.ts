export { checkRuleset } from './check-ruleset.ts'
export type { Composed, ReadRule, RulesRead } from './compose-text.ts'
export type { Cover, CoverOrder, ReportedRule } from './cover-tools.ts'
export { diffRevisions } from './diff-revisions.ts'
export { type EvaluateCall, evaluateCall, type FindDraft, findDraft } from './evaluate-call.ts'
export { diagnosticOnWire } from './outline.ts'
export { type ReadRulesets, readRulesets } from './read-rulesets.ts'
export { ownHash, personRef, type Revision, type RulesetDialect } from './revision.ts'
export { type RevisionOfHash, revisionOfHash } from './revision-of-hash.ts'
export {
  findLatestRevision,
  findRevision,
  findRevisionWithTexts,
  findVersionOfHash,
  type KnownRevision,
  type LiveRow,
  listLatestRevisions,
  listLive,
  listRevisions,
} from './revisions-table.ts'
export { rulesetRoutes } from './routes.ts'
export { type Uploaded, type UploadRuleset, uploadRuleset } from './upload-ruleset.ts'
