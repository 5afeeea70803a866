import type { Diagnostic } from '../diagnostic.ts'
import { emitEntries } from '../emit-yaml.ts'
import type { Rule, Ruleset } from '../model.ts'
import { type ParseOptions, parseRuleset } from '../parse-ruleset.ts'
import { rulesetToData } from '../to-data.ts'

/** One document of several that are in force together. */
export interface Layer {
  /** Where it comes from: a file, a name. */
  readonly label: string
  readonly ruleset: Ruleset
}

export interface OverriddenRule {
  readonly id: string
  readonly by: string
  readonly original: string
}

export type LayersResult =
  | {
      readonly ok: true
      /** What decides: the layers merged, later ones first in rank. */
      readonly ruleset: Ruleset
      readonly text: string
      /** What runs alongside and only observes; give it to `compile` as `candidates`. */
      readonly candidates?: Ruleset
      readonly overridden: readonly OverriddenRule[]
      readonly observed: readonly { readonly id: string; readonly source: string }[]
      readonly diagnostics: readonly Diagnostic[]
    }
  | { readonly ok: false; readonly problem: string; readonly diagnostics: readonly Diagnostic[] }

/**
 * Several documents as one, left to right. A later layer replaces a rule of the same id where it stands and adds its
 * others behind; a layer that says `observe_alongside` changes nothing that is enforced. The first layer's own
 * `observe_alongside` has no effect: there is nothing it could run beside.
 */
export function composeLayers(layers: readonly [Layer, ...Layer[]], options: ParseOptions = {}): LayersResult {
  const parent = layers.find(({ ruleset }) => ruleset.extends !== undefined)
  if (parent) return refused(`${parent.label} extends another ruleset; resolve that first.`)
  const [base, ...later] = layers
  const deciding = [base, ...later.filter(({ ruleset }) => !ruleset.observeAlongside)]
  const alongside = later.filter(({ ruleset }) => ruleset.observeAlongside)
  const shared = repeatedId(alongside)
  if (shared !== undefined) return refused(`The rule ${shared} is in two layers that run alongside.`)
  const { rules, overridden } = mergeRules(deciding)
  const { extends: _, observeAlongside: __, ...head } = deciding.reduce(mergeHead, base.ruleset)
  const merged: Ruleset = { ...head, observeAlongside: false, rules }
  const text = `${emitEntries(Object.entries(rulesetToData(merged)), 0)}\n`
  const parsed = parseRuleset(text, options)
  if (!parsed.ok) return { ok: false, problem: 'The layers do not fit together.', diagnostics: parsed.diagnostics }
  const candidates = candidatesOf(alongside)
  return {
    ok: true,
    ruleset: parsed.ruleset,
    text,
    ...(candidates ? { candidates } : {}),
    overridden,
    observed: alongside.flatMap(({ label, ruleset }) => ruleset.rules.map(({ id }) => ({ id, source: label }))),
    diagnostics: parsed.diagnostics,
  }
}

function refused(problem: string): LayersResult {
  return { ok: false, problem, diagnostics: [] }
}

function mergeHead(merged: Ruleset, { ruleset }: Layer): Ruleset {
  const tools = new Map([...merged.tools, ...ruleset.tools].map((tool) => [tool.name, tool]))
  return {
    ...merged,
    name: ruleset.name,
    ...(ruleset.description === undefined ? {} : { description: ruleset.description }),
    defaultMode: ruleset.defaultMode,
    tools: [...tools.values()],
    ...(ruleset.observability ? { observability: ruleset.observability } : {}),
  }
}

function mergeRules(layers: readonly Layer[]): {
  readonly rules: readonly Rule[]
  readonly overridden: readonly OverriddenRule[]
} {
  // A Map keeps the place of what was first, also when its value is replaced.
  const merged = new Map<string, { readonly rule: Rule; readonly label: string }>()
  const overridden: OverriddenRule[] = []
  for (const { label, ruleset } of layers) {
    for (const rule of ruleset.rules) {
      const before = merged.get(rule.id)
      if (before) overridden.push({ id: rule.id, by: label, original: before.label })
      merged.set(rule.id, { rule, label })
    }
  }
  return { rules: [...merged.values()].map(({ rule }) => rule), overridden }
}

function repeatedId(layers: readonly Layer[]): string | undefined {
  const ids = layers.flatMap(({ ruleset }) => ruleset.rules.map(({ id }) => id))
  return ids.find((id, index) => ids.indexOf(id) !== index)
}

/** Kept apart with their own tools: what runs alongside must not change what is enforced. */
function candidatesOf(layers: readonly Layer[]): Ruleset | undefined {
  const [first] = layers
  if (!first) return undefined
  const { tools } = layers.reduce(mergeHead, first.ruleset)
  return { ...first.ruleset, tools, rules: layers.flatMap(({ ruleset }) => ruleset.rules) }
}
