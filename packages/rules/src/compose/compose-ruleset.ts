import type { Diagnostic } from '../diagnostic.ts'
import { emitEntries, emitItems } from '../emit-yaml.ts'
import type { JsonValue, Mode, Rule, Ruleset } from '../model.ts'
import { type ParseOptions, parseRuleset } from '../parse-ruleset.ts'
import { ruleToData } from '../to-data.ts'
import { type RuleComments, withComments } from './rule-comments.ts'

/** One rule at its place in a composition. */
export interface RecipeItem {
  readonly rule: Rule
  /** Goes before what the rule says itself, which goes before the recipe's default. */
  readonly mode?: Mode | undefined
  /** Written above what they are about. */
  readonly comments?: RuleComments | undefined
}

/** What a ruleset is made of, in order. */
export interface Recipe {
  readonly name: string
  readonly description?: string | undefined
  readonly defaultMode: Mode
  readonly items: readonly RecipeItem[]
  /** The document's `tools` and `observability` as data, checked like the rest. */
  readonly tools?: JsonValue | undefined
  readonly observability?: JsonValue | undefined
}

/** What became of one item. */
export interface ComposedRule {
  /** As in the document: a second version of a rule that is already there is called `ID_obs`. */
  readonly id: string
  readonly of: string
  readonly mode: Mode
  /** A second version of a rule: it only observes, beside the first. */
  readonly isShadow: boolean
}

export type ComposeResult =
  | {
      readonly ok: true
      /** A complete `kind: Ruleset` document. The same recipe gives the same bytes, so an unchanged one gives no new revision. */
      readonly text: string
      readonly ruleset: Ruleset
      readonly rules: readonly ComposedRule[]
      readonly diagnostics: readonly Diagnostic[]
    }
  /** `text` is what was refused, for the diagnostics to point into. */
  | { readonly ok: false; readonly text: string; readonly diagnostics: readonly Diagnostic[] }

/**
 * A document out of single rules. Every rule's mode is written out, so that none changes its meaning with the default;
 * what comes out is checked as an upload is.
 */
export function composeRuleset(recipe: Recipe, options: ParseOptions = {}): ComposeResult {
  const composed = composeItems(recipe)
  const rules = composed.map(({ item, made }) => {
    const data = inReadingOrder({ ...ruleToData(item.rule), id: made.id, mode: made.mode })
    return withComments(`  ${emitItems([data], 2)}`, item.comments, 4)
  })
  const { name, description, defaultMode, tools, observability } = recipe
  const text = [
    section('apiVersion', 'edictum/v1'),
    section('kind', 'Ruleset'),
    section('metadata', { name, ...(description === undefined ? {} : { description }) }),
    section('defaults', { mode: defaultMode }),
    ...(rules.length === 0 ? [section('rules', [])] : ['rules:', ...rules]),
    ...(isEmpty(tools) ? [] : [section('tools', tools)]),
    ...(isEmpty(observability) ? [] : [section('observability', observability)]),
    '',
  ].join('\n')
  const parsed = parseRuleset(text, { isServed: true, ...options })
  if (!parsed.ok) return { ok: false, text, diagnostics: parsed.diagnostics }
  const made = composed.map((one) => one.made)
  return { ok: true, text, ruleset: parsed.ruleset, rules: made, diagnostics: parsed.diagnostics }
}

function section(key: string, value: JsonValue): string {
  return emitEntries([[key, value]], 0)
}

function composeItems({
  items,
  defaultMode,
}: Recipe): readonly { readonly item: RecipeItem; readonly made: ComposedRule }[] {
  const seen = new Set<string>()
  return items.map((item) => {
    const { rule } = item
    const isShadow = seen.has(rule.id)
    seen.add(rule.id)
    // Two versions of one rule that both decide would make it impossible to say which one spoke.
    const mode = isShadow ? 'observe' : (item.mode ?? rule.mode ?? defaultMode)
    return { item, made: { id: isShadow ? `${rule.id}_obs` : rule.id, of: rule.id, mode, isShadow } }
  })
}

function inReadingOrder({ id, type, mode, ...rest }: Readonly<Record<string, JsonValue>>): JsonValue {
  return { id: id ?? null, type: type ?? null, mode: mode ?? null, ...rest }
}

function isEmpty(section: JsonValue | undefined): section is null | undefined {
  return section == null || (typeof section === 'object' && Object.keys(section).length === 0)
}
