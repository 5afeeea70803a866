export type { Diagnostic, Severity } from './diagnostic.ts'
export { defaultLimits, type Limits, servedBytesMax } from './limits.ts'
export * from './model.ts'
export {
  type ParseOptions,
  type ParseResult,
  parseRuleset,
} from './parse-ruleset.ts'
