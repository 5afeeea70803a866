export type { Diagnostic, Severity } from './diagnostic.ts'
export {
  diffRulesets,
  type FieldChange,
  type RuleChange,
  type RulesetDiff,
  type ToolChange,
} from './diff-rulesets.ts'
export { defaultLimits, type Limits, servedBytesMax } from './limits.ts'
export * from './model.ts'
export { type ParseOptions, type ParseResult, parseRuleset } from './parse-ruleset.ts'
export { type Rendering, type RenderingsResult, renderings } from './renderings.ts'
export { type ExtendsResult, type ParentSource, type PinnedParent, resolveExtends } from './resolve-extends.ts'
export { sameRuleset } from './same-ruleset.ts'
