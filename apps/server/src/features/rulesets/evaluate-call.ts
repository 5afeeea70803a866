import type { Evaluation, RulesetDiagnostic, TriedCall } from '@countersign/wire'
import { sha256Hex } from '../../kernel/crypto.ts'
import type { Sql } from '../../kernel/db.ts'
import { invalidInput, notFound } from '../../kernel/problem.ts'
import type { CheckRuleset } from './check-ruleset.ts'
import type { Evaluated } from './evaluate-text.ts'
import { diagnosticOnWire } from './outline.ts'
import type { ReadRulesets } from './read-rulesets.ts'
import { findRevisionWithTexts } from './revisions-table.ts'

type Needs = {
  readonly db: Sql
  readonly check: CheckRuleset
  readonly read: Pick<ReadRulesets, 'evaluate'>
}

/** A text somebody is writing, or a revision that is stored. */
export type Draft = {
  readonly yaml?: string | undefined
  readonly ruleset?: string | undefined
  readonly version?: number | undefined
}

export type FoundText =
  | {
      readonly ok: true
      readonly name: string
      readonly version: number | null
      readonly text: string
      readonly hash: string
      readonly diagnostics: readonly RulesetDiagnostic[]
    }
  | { readonly ok: false; readonly diagnostics: readonly RulesetDiagnostic[] }

export type FindDraft = (tenant: string, draft: Draft) => Promise<FoundText>

/** The text agents would be handed, in the words it was written in; what it extends is merged in. */
export function findDraft({ db, check }: Pick<Needs, 'db' | 'check'>): FindDraft {
  return async (tenant, { yaml, ruleset, version }) => {
    if ((yaml === undefined) === (ruleset === undefined) || (ruleset === undefined) !== (version === undefined)) {
      throw invalidInput('body', 'Give either yaml, or ruleset together with version.')
    }
    if (yaml !== undefined) {
      const checked = await check(tenant, yaml)
      const diagnostics = checked.diagnostics.map(diagnosticOnWire)
      if (!checked.ok) return { ok: false, diagnostics }
      const { served } = checked
      const { text } = checked.ruleset.dialect === 'Ruleset' ? served.ruleset : served.contractBundle
      return { ok: true, name: checked.ruleset.name, version: null, text, hash: sha256Hex(text), diagnostics }
    }
    const revision = await findRevisionWithTexts(db, tenant, ruleset ?? '', version ?? 0)
    if (!revision) throw notFound('revision')
    const { dialect, texts, hashes } = revision
    return {
      ok: true,
      name: revision.ruleset,
      version: revision.version,
      text: texts[dialect],
      hash: hashes[dialect],
      diagnostics: [],
    }
  }
}

export type EvaluateCall = (
  tenant: string,
  draft: Draft,
  call: TriedCall,
) => Promise<{ readonly answer: Evaluation; readonly defaultMode: Evaluated['defaultMode'] | null }>

/** Tries a call on a ruleset: the verdict and why, rule by rule. Nothing is carried out, counted or kept. */
export function evaluateCall({ db, check, read }: Needs): EvaluateCall {
  const find = findDraft({ db, check })
  return async (tenant, draft, call) => {
    const found = await find(tenant, draft)
    if (!found.ok) return { answer: { ...refused, diagnostics: [...found.diagnostics] }, defaultMode: null }
    const { defaultMode, ...evaluated } = await read.evaluate(tenant, found.text, call)
    return {
      answer: { is_valid: true, diagnostics: [...found.diagnostics], ...evaluated, revision_hash: found.hash },
      defaultMode,
    }
  }
}

const refused = {
  is_valid: false,
  verdict: null,
  decided_by: null,
  hold: null,
  side_effect: null,
  rules: [],
  words: [],
  post: null,
  revision_hash: null,
  evaluation_ms: 0,
}
