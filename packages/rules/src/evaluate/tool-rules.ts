import type { CompiledPost, CompiledPre, CompiledSandbox } from './compiled-rule.ts'
import { compileGlob, type Glob, isExactGlob } from './glob.ts'
import { buildIndex, type RuleIndex } from './rule-index.ts'
import { compileSandboxes, type Host, type SandboxTest } from './sandbox.ts'

/** The rules for one tool, in document order. */
export interface ToolRules {
  /** Absent when there are few rules. */
  readonly preIndex: RuleIndex | undefined
  readonly postIndex: RuleIndex | undefined
  readonly pre: readonly CompiledPre[]
  readonly sandbox: readonly CompiledSandbox[]
  readonly post: readonly CompiledPost[]
  /** Whether a call breaks any of the sandboxes; asked before each of them is. */
  readonly breaksAnySandbox: SandboxTest
}

interface AllRules {
  readonly host: Host
  readonly pre: readonly CompiledPre[]
  readonly sandbox: readonly CompiledSandbox[]
  readonly post: readonly CompiledPost[]
}

const namesRemembered = 1_000
const nameCharactersMax = 200
const setsRemembered = 100

/**
 * Which rules are for which tool. Names come from outside: only so many, and only so long ones, are kept. Names that the
 * same rules are for share one set of rules and its index, so that made-up names cannot make the memory grow.
 */
export function rulesByTool(all: AllRules): (tool: string) => ToolRules {
  const patterns = toolPatterns(all)
  const byName = new Map<string, ToolRules>()
  const bySet = new Map<string, ToolRules>()
  return (tool) => {
    const known = byName.get(tool)
    if (known) return known
    const matching = patterns.matching(tool)
    const key = matching.join('\n')
    let rules = bySet.get(key)
    if (!rules) {
      rules = rulesWith(new Set(matching), all)
      if (bySet.size >= setsRemembered) {
        bySet.clear()
        byName.clear()
      }
      bySet.set(key, rules)
    }
    if (tool.length > nameCharactersMax) return rules
    if (byName.size >= namesRemembered) {
      const [oldest] = byName.keys()
      if (oldest !== undefined) byName.delete(oldest)
    }
    byName.set(tool, rules)
    return rules
  }
}

interface ToolPatterns {
  /** The patterns a name matches, each once, always in the same order. */
  readonly matching: (tool: string) => readonly string[]
}

function toolPatterns({ pre, sandbox, post }: AllRules): ToolPatterns {
  const exact = new Set<string>()
  const globs = new Map<string, Glob>()
  for (const rules of [pre, sandbox, post]) {
    for (const { tools } of rules) {
      for (const pattern of tools) {
        if (exact.has(pattern) || globs.has(pattern)) continue
        if (isExactGlob(pattern)) exact.add(pattern)
        else globs.set(pattern, compileGlob(pattern))
      }
    }
  }
  return {
    matching: (tool) => {
      const found = [...globs].flatMap(([pattern, matches]) => (matches(tool) ? [pattern] : []))
      return exact.has(tool) ? [tool, ...found] : found
    },
  }
}

function rulesWith(patterns: ReadonlySet<string>, all: AllRules): ToolRules {
  const own = <One extends { readonly tools: readonly string[] }>(rules: readonly One[]): readonly One[] =>
    rules.filter(({ tools }) => tools.some((pattern) => patterns.has(pattern)))
  const rules = { pre: own(all.pre), sandbox: own(all.sandbox), post: own(all.post) }
  return {
    ...rules,
    breaksAnySandbox: compileSandboxes(
      rules.sandbox.map(({ rule }) => rule),
      all.host,
    ),
    preIndex: buildIndex(rules.pre.map(({ rule }) => rule.when)),
    postIndex: buildIndex(rules.post.map(({ rule }) => rule.when)),
  }
}
