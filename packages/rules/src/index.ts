export { composeLayers, type Layer, type LayersResult, type OverriddenRule } from './compose/compose-layers.ts'
export {
  type ComposedRule,
  type ComposeResult,
  composeRuleset,
  type Recipe,
  type RecipeItem,
} from './compose/compose-ruleset.ts'
export { type Baseline, includeBaselines } from './compose/include-baseline.ts'
export { type ParseRulesOptions, parseRules, type RulesResult, ruleTexts } from './compose/parse-rules.ts'
export type { RuleComments } from './compose/rule-comments.ts'
export type { Diagnostic, Severity } from './diagnostic.ts'
export {
  diffRulesets,
  type FieldChange,
  type RuleChange,
  type RulesetDiff,
  type ToolChange,
} from './diff-rulesets.ts'
export {
  type Call,
  type Counters,
  type Facts,
  type JsonObject,
  type Principal,
  type ResolvedPath,
  type ResolvePath,
  sideEffectOf,
  toolNameProblem,
  type WorkflowAnswer,
} from './evaluate/call.ts'
export { type Compiled, type CompileOptions, compile } from './evaluate/compile.ts'
export { decidePre } from './evaluate/decide.ts'
export { decidePost } from './evaluate/decide-post.ts'
export type { DecisionSource, Fired, Hold, PostDecision, PreDecision, Verdict } from './evaluate/decision.ts'
export type { CustomOperator } from './evaluate/operator-test.ts'
export { isSensitiveKey, looksLikeSecret, redactArguments, redactText } from './evaluate/redact.ts'
export type { Output } from './evaluate/selector-value.ts'
export { type DryRun, type DryRunRule, dryRun, dryRunToJson } from './explain/dry-run.ts'
export { type ExplainOptions, explain } from './explain/explain.ts'
export type {
  Actual,
  Condition,
  ConditionOutcome,
  Explanation,
  LimitFinding,
  NotConsidered,
  RuleExplanation,
  SandboxFinding,
} from './explain/explanation.ts'
export { judgeCall, type PossibleDecision } from './explain/judge-call.ts'
export type { Remains, Unknowns } from './explain/unknowns.ts'
export type { PossibleVerdict } from './explain/walk-pipeline.ts'
export { defaultLimits, type Limits, servedBytesMax } from './limits.ts'
export * from './model.ts'
export { type ParseOptions, type ParseResult, parseRuleset } from './parse-ruleset.ts'
export { type Rendering, type RenderingsResult, renderings } from './renderings.ts'
export { type ExtendsResult, type ParentSource, type PinnedParent, resolveExtends } from './resolve-extends.ts'
export { sameRuleset } from './same-ruleset.ts'
export { rulesetToData, ruleToDataIn } from './to-data.ts'
export {
  recordApproval,
  recordResult,
  resetWorkflow,
  setWorkflowStage,
  type WorkflowChange,
} from './workflow/change-workflow.ts'
export { evaluateWorkflow, type WorkflowDecision, type WorkflowFacts } from './workflow/evaluate-workflow.ts'
export { parseWorkflow, type WorkflowOptions, type WorkflowResult } from './workflow/parse-workflow.ts'
export {
  initialWorkflowState,
  type Stage,
  type Workflow,
  type WorkflowEvent,
  type WorkflowState,
} from './workflow/workflow.ts'
export { legacyStateKey, snapshotToJson, stateFromJson, stateKey, stateToJson } from './workflow/workflow-wire.ts'
