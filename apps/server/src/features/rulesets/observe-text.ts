import {
  composeRuleset,
  diffRulesets,
  parseRules,
  parseRuleset,
  type Ruleset,
  ruleMode,
  rulesetToData,
} from '@countersign/rules'

export type ObserveOrder = {
  readonly text: string
  /** What is live; without it every rule is new. */
  readonly before: string | undefined
}

export type ObservedText = {
  readonly text: string
  /** Rules that would enforce and now only observe. */
  readonly rules: readonly string[]
}

/** The document with those of its rules only observing that are new or changed. Pure. */
export function observeText({ text, before }: ObserveOrder): ObservedText {
  const ruleset = modelOf(text)
  const fresh = new Set(before === undefined ? ruleset.rules.map(({ id }) => id) : changedIds(modelOf(before), ruleset))
  const rules = ruleset.rules.filter(
    (rule) => rule.enabled && fresh.has(rule.id) && ruleMode(rule, ruleset) === 'enforce',
  )
  const observed = new Set(rules.map(({ id }) => id))
  const { tools, observability } = rulesetToData(ruleset)
  const read = parseRules(text)
  const comments = read.ok ? read.comments : []
  const made = composeRuleset({
    name: ruleset.name,
    description: ruleset.description,
    defaultMode: ruleset.defaultMode,
    items: ruleset.rules.map((rule, at) => ({
      rule,
      mode: observed.has(rule.id) ? 'observe' : undefined,
      comments: comments[at],
    })),
    tools,
    observability,
  })
  if (!made.ok) throw new Error(`A trial is refused: ${made.diagnostics[0]?.message ?? ''}`)
  return { text: made.text, rules: [...observed] }
}

function changedIds(before: Ruleset, after: Ruleset): readonly string[] {
  const { added, changed, modes } = diffRulesets(before, after)
  return [...added.map(({ id }) => id), ...changed.map(({ id }) => id), ...modes.map(({ id }) => id)]
}

function modelOf(text: string): Ruleset {
  const parsed = parseRuleset(text)
  if (!parsed.ok) throw new Error(`A stored revision is refused: ${parsed.diagnostics[0]?.message ?? ''}`)
  return parsed.ruleset
}
