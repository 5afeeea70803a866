import {
  type Baseline,
  diffRulesets,
  type ExtendsResult,
  includeBaselines,
  type ParentSource,
  parseRuleset,
  type RenderingsResult,
  type Ruleset,
  renderings,
  resolveExtends,
} from '@countersign/rules'
import type { RulesetOutline, SemanticDiff, TriedCall } from '@countersign/wire'
import { type Composed, type ComposeOrder, composeText, type RulesRead, readRulesText } from './compose-text.ts'
import { type Cover, type CoverOrder, coverTools } from './cover-tools.ts'
import { type DraftedRule, type DraftOrder, draftRuleFor } from './draft-rule.ts'
import { type Evaluated, evaluateText } from './evaluate-text.ts'
import { type ObservedText, type ObserveOrder, observeText } from './observe-text.ts'
import { diffOnWire, outlineOf } from './outline.ts'

/** What reading documents is asked for. Everything given and answered can be copied between threads. */
export type Given = {
  readonly renderings: { readonly yaml: string }
  readonly resolve: { readonly yaml: string; readonly parents: ReadonlyMap<string, ParentSource> }
  readonly model: { readonly text: string }
  readonly outline: { readonly text: string }
  readonly compare: { readonly before: string; readonly after: string }
  readonly evaluate: { readonly text: string; readonly call: TriedCall }
  readonly cover: CoverOrder
  readonly rules: { readonly text: string; readonly id: string | undefined }
  readonly compose: ComposeOrder
  readonly observe: ObserveOrder
  readonly baselines: { readonly text: string; readonly baselines: readonly Baseline[] }
  readonly draftRule: DraftOrder
}

export type Answers = {
  readonly renderings: RenderingsResult
  readonly resolve: ExtendsResult
  readonly model: Ruleset
  readonly outline: RulesetOutline
  readonly compare: SemanticDiff
  readonly evaluate: Evaluated
  readonly cover: Cover
  readonly rules: RulesRead
  readonly compose: Composed
  readonly observe: ObservedText
  readonly baselines: ExtendsResult
  readonly draftRule: DraftedRule
}

export type WorkName = keyof Given

const works: { readonly [Name in WorkName]: (given: Given[Name]) => Answers[Name] } = {
  renderings: ({ yaml }) => renderings(yaml),
  resolve: ({ yaml, parents }) => resolveExtends(yaml, parents, { isServed: true }),
  model: ({ text }) => modelOf(text),
  outline: ({ text }) => outlineOf(modelOf(text)),
  compare: ({ before, after }) => {
    const [old, now] = [modelOf(before), modelOf(after)]
    return diffOnWire(diffRulesets(old, now), old, now)
  },
  evaluate: ({ text, call }) => evaluateText(text, call),
  cover: coverTools,
  rules: ({ text, id }) => readRulesText(text, id),
  compose: composeText,
  observe: observeText,
  baselines: ({ text, baselines }) => includeBaselines(text, baselines, { isServed: true }),
  draftRule: draftRuleFor,
}

/** Pure, and slow on large or hostile documents: see `readRulesets` for where it may run. */
export function perform<Name extends WorkName>(name: Name, given: Given[Name]): Answers[Name] {
  return works[name](given)
}

/** The model of a text that was accepted once; a reader that no longer accepts it is a bug. */
function modelOf(text: string): Ruleset {
  const parsed = parseRuleset(text)
  if (!parsed.ok) throw new Error(`A stored revision is refused: ${parsed.diagnostics[0]?.message ?? ''}`)
  return parsed.ruleset
}
