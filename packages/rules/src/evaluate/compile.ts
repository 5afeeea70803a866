import { type Rule, type Ruleset, ruleMode, type Tool } from '../model.ts'
import type { CompiledCommon, CompiledPost, CompiledPre, CompiledSandbox } from './compiled-rule.ts'
import { type CustomOperators, compileExpression } from './expression-test.ts'
import { compileMessage, type Message } from './message.ts'
import { compileReplacement } from './replacement.ts'
import { compileSandbox, type Host } from './sandbox.ts'
import type { CustomSelectors } from './selector-value.ts'
import { compileSession, type SessionSteps } from './session-limits.ts'
import { rulesByTool, type ToolRules } from './tool-rules.ts'

export interface CompileOptions {
  /** The guard's own mode; the document's default unless said. */
  readonly guardMode?: Ruleset['defaultMode']
  /** For relative paths. A server that judges for a remote agent does not know it and leaves `/`. */
  readonly workingDirectory?: string
  readonly resolvePath?: Host['resolvePath']
  readonly customOperators?: CustomOperators
  readonly customSelectors?: CustomSelectors
  /** Redact and suppress also what came from tools that changed something. */
  readonly enforcesOutputOnUnsafe?: boolean
  /** Rules that run alongside, observed only, and never decide. */
  readonly candidates?: Ruleset
}

/** A ruleset made ready once for any number of calls. */
export interface Compiled {
  readonly ruleset: Ruleset
  readonly guardMode: Ruleset['defaultMode']
  readonly host: Host
  readonly customSelectors: CustomSelectors
  readonly customOperators: CustomOperators
  readonly enforcesOutputOnUnsafe: boolean
  readonly tools: ReadonlyMap<string, Tool>
  readonly session: SessionSteps
  readonly sessionMessages: ReadonlyMap<string, Message>
  /** The rules for one tool, in document order. */
  readonly rulesFor: (tool: string) => ToolRules
  readonly candidates?: Compiled
}

/** Built from a model that `parseRuleset` made: its patterns compile and its operands fit. */
export function compile(ruleset: Ruleset, options: CompileOptions = {}): Compiled {
  const host: Host = {
    workingDirectory: options.workingDirectory ?? '/',
    ...(options.resolvePath ? { resolvePath: options.resolvePath } : {}),
  }
  const custom = options.customOperators ?? {}
  const enabled = ruleset.rules.filter((rule) => rule.enabled)
  const common = (rule: Rule, message: string): Omit<CompiledCommon, 'tools'> => ({
    isObserved: ruleMode(rule, ruleset) === 'observe',
    message: compileMessage(message, rule.type === 'post'),
  })
  const pre: CompiledPre[] = []
  const sandbox: CompiledSandbox[] = []
  const post: CompiledPost[] = []
  for (const rule of enabled) {
    if (rule.type === 'pre') {
      const made = common(rule, rule.then.message)
      pre.push({ rule, ...made, tools: [rule.tool], test: compileExpression(rule.when, custom) })
    } else if (rule.type === 'post') {
      const made = common(rule, rule.then.message)
      const test = compileExpression(rule.when, custom)
      const replacement = compileReplacement(rule.when)
      post.push({ rule, ...made, tools: [rule.tool], test, replacement })
    } else if (rule.type === 'sandbox') {
      sandbox.push({ rule, ...common(rule, rule.message), tools: rule.tools, test: compileSandbox(rule, host) })
    }
  }
  const session = compileSession(ruleset)
  const { candidates, ...alone } = options
  return {
    ruleset,
    guardMode: options.guardMode ?? ruleset.defaultMode,
    host,
    customSelectors: options.customSelectors ?? {},
    customOperators: custom,
    enforcesOutputOnUnsafe: options.enforcesOutputOnUnsafe === true,
    tools: new Map(ruleset.tools.map((tool) => [tool.name, tool])),
    session,
    sessionMessages: new Map(session.steps.map(({ rule }) => [rule.id, compileMessage(rule.then.message, false)])),
    rulesFor: rulesByTool({ host, pre, sandbox, post }),
    ...(candidates ? { candidates: compile(observedOnly(candidates), alone) } : {}),
  }
}

/** A candidate's limits stand each for itself, too: what would only be observed tightens nothing. */
function observedOnly(ruleset: Ruleset): Ruleset {
  return { ...ruleset, defaultMode: 'observe', rules: ruleset.rules.map((rule) => ({ ...rule, mode: 'observe' })) }
}
