import {
  composeRuleset,
  type Diagnostic,
  type JsonValue,
  type Mode,
  parseRules,
  type Rule,
  type RuleComments,
  type Ruleset,
  renderings,
  rulesetToData,
  ruleTexts,
  ruleToDataIn,
} from '@countersign/rules'

/** A rule out of a text, ready to be kept: its body without its id. */
export type ReadRule = {
  readonly id: string
  readonly type: Rule['type']
  readonly isEnabled: boolean
  readonly texts: { readonly ruleset: string; readonly contractBundle: string }
  readonly definition: JsonValue
}

export type RulesRead =
  | {
      readonly ok: true
      readonly rules: readonly ReadRule[]
      /** What a whole document says beside its rules. */
      readonly document?: {
        readonly name: string
        readonly description: string | undefined
        readonly defaultMode: Mode
        readonly isPartOfAnother: boolean
        readonly tools: JsonValue
        readonly observability: JsonValue
      }
      readonly diagnostics: readonly Diagnostic[]
    }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }

/** Rules in any shape people paste them. Pure. */
export function readRulesText(text: string, id: string | undefined): RulesRead {
  const read = parseRules(text, id === undefined ? {} : { id })
  if (!read.ok) return read
  return {
    ok: true,
    rules: read.rules.map((rule, at) => readRule(rule, read.comments[at])),
    ...(read.ruleset ? { document: documentOf(read.ruleset) } : {}),
    diagnostics: read.diagnostics,
  }
}

/** Whether it is enabled is said where it is used, so that enabling it there is enough. */
function readRule(rule: Rule, comments: RuleComments | undefined): ReadRule {
  const enabled = { ...rule, enabled: true }
  const { id: _, ...definition } = ruleToDataIn(enabled, 'ContractBundle')
  return {
    id: rule.id,
    type: rule.type,
    isEnabled: rule.enabled,
    texts: ruleTexts(enabled, comments),
    definition,
  }
}

function documentOf(ruleset: Ruleset) {
  const { tools = null, observability = null } = rulesetToData(ruleset)
  return {
    name: ruleset.name,
    description: ruleset.description,
    defaultMode: ruleset.defaultMode,
    isPartOfAnother: ruleset.extends !== undefined || ruleset.observeAlongside,
    tools,
    observability,
  }
}

export type ComposeOrder = {
  readonly name: string
  readonly description: string | undefined
  readonly defaultMode: Mode
  readonly items: readonly { readonly id: string; readonly text: string; readonly mode: Mode | undefined }[]
  readonly tools: JsonValue
  readonly observability: JsonValue
}

export type Composed = {
  readonly ok: boolean
  readonly text: string
  readonly contractBundleText: string | undefined
  readonly rules: readonly {
    readonly id: string
    readonly of: string
    readonly mode: Mode
    readonly isShadow: boolean
  }[]
  readonly diagnostics: readonly Diagnostic[]
}

/** The document of a composition, checked as an upload is. Pure; the same composition gives the same bytes. */
export function composeText({ items, ...recipe }: ComposeOrder): Composed {
  const rules = items.map(({ id, text, mode }) => {
    const read = parseRules(text, { id })
    const [rule] = read.ok ? read.rules : []
    if (!rule) throw new Error(`A rule of the library is refused: ${read.diagnostics[0]?.message ?? ''}`)
    return { rule, mode, comments: read.ok ? read.comments[0] : undefined }
  })
  const made = composeRuleset({ ...recipe, items: rules })
  if (!made.ok) {
    return { ok: false, text: made.text, contractBundleText: undefined, rules: [], diagnostics: made.diagnostics }
  }
  const both = renderings(made.text)
  return {
    ok: both.ok,
    text: made.text,
    contractBundleText: both.ok ? both.renderings.contractBundle.text : undefined,
    rules: made.rules,
    diagnostics: both.diagnostics,
  }
}
