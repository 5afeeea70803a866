import type { JsonValue } from '@countersign/rules'
import { sha256Hex } from '../../kernel/crypto.ts'
import type { Sql } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import type { Caller, RequestFacts } from '../roles/index.ts'
import {
  type Composed,
  diagnosticOnWire,
  findVersionOfHash,
  type ReadRulesets,
  type UploadRuleset,
} from '../rulesets/index.ts'
import type { ManageCompositions, WholeComposition } from './manage-compositions.ts'

type Needs = {
  readonly db: Sql
  readonly read: Pick<ReadRulesets, 'compose'>
  readonly compositions: Pick<ManageCompositions, 'find'>
  readonly upload: UploadRuleset
}

export type Preview = Composed & { readonly sameAsVersion: number | null }
export type Made = {
  readonly ruleset: string
  readonly version: number
  readonly isNew: boolean
  readonly rules: readonly (Composed['rules'][number] & { readonly version: number })[]
}

export type ComposeRulesets = ReturnType<typeof composeRulesets>

/** Puts the rules of a composition together: to look at, or to keep as the next revision of the ruleset of its name. */
export function composeRulesets({ db, read, compositions, upload }: Needs) {
  const compose = async (tenant: string, whole: WholeComposition): Promise<Composed> => {
    const items = whole.items.filter(({ isEnabled }) => isEnabled)
    return read.compose(tenant, {
      name: whole.name,
      description: whole.description ?? undefined,
      defaultMode: whole.defaultMode,
      items: items.map(({ ruleId, text, mode }) => ({ id: ruleId, text, mode: mode ?? undefined })),
      // Checked to be JSON when it was read, and as part of the document when that is made.
      tools: whole.tools as JsonValue,
      observability: whole.observability as JsonValue,
    })
  }

  return {
    preview: async (tenant: string, name: string): Promise<Preview> => {
      const composed = await compose(tenant, await compositions.find(tenant, name))
      const version = composed.ok ? await findVersionOfHash(db, tenant, name, sha256Hex(composed.text)) : undefined
      return { ...composed, sameAsVersion: version ?? null }
    },
    /** The same text makes no second revision. */
    make: async (who: Caller, name: string, facts: RequestFacts): Promise<Made> => {
      const whole = await compositions.find(who.tenant, name)
      const composed = await compose(who.tenant, whole)
      if (!composed.ok) throw refusal(composed)
      const enabled = whole.items.filter(({ isEnabled }) => isEnabled)
      const rules = composed.rules.map((rule, at) => ({ ...rule, version: enabled[at]?.version ?? 1 }))
      const known = await findVersionOfHash(db, who.tenant, name, sha256Hex(composed.text))
      if (known !== undefined) return { ruleset: name, version: known, isNew: false, rules }
      const note = `Composed of ${rules.map(({ of, version }) => `${of} ${version}`).join(', ')}`.slice(0, 2_000)
      const { ruleset, version } = await upload(who, { yaml: composed.text, note, field: 'composition' }, facts)
      return { ruleset, version, isNew: true, rules }
    },
  }
}

function refusal({ diagnostics }: Composed): Problem {
  const first = diagnostics.find(({ severity }) => severity === 'error')
  return new Problem(problems.invalidInput, `These rules make no valid ruleset. ${first?.message ?? ''}`, {
    facts: { diagnostics: diagnostics.map(diagnosticOnWire) },
  })
}
