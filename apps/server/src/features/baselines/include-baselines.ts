import type { Baseline } from '@countersign/wire'
import { sha256Hex } from '../../kernel/crypto.ts'
import type { Sql } from '../../kernel/db.ts'
import { notFound, Problem, problems } from '../../kernel/problem.ts'
import type { Caller, RequestFacts } from '../roles/index.ts'
import {
  diagnosticOnWire,
  findRevisionWithTexts,
  findVersionOfHash,
  type ReadRulesets,
  type UploadRuleset,
} from '../rulesets/index.ts'
import { findMade, findOrigin, insertMade, type Origin } from './baselines-table.ts'

type Needs = {
  readonly db: Sql
  readonly read: Pick<ReadRulesets, 'baselines'>
  readonly upload: UploadRuleset
}

export type Target = { readonly ruleset: string; readonly version: number }
export type IncludeBaselines = ReturnType<typeof includeBaselines>

/** Puts baselines in front of revisions. What comes out is a revision like any other: kept, shown, signed. */
export function includeBaselines({ db, read, upload }: Needs) {
  const originOf = async (tenant: string, { ruleset, version }: Target): Promise<Origin> =>
    (await findOrigin(db, tenant, ruleset, version)) ?? { fromVersion: version, baselines: [] }

  /** The text of a revision with the baselines in front. A ruleset does not include itself. */
  const textOf = async (
    tenant: string,
    { ruleset, version }: Target,
    baselines: readonly Baseline[],
  ): Promise<string> => {
    const own = await findRevisionWithTexts(db, tenant, ruleset, version)
    if (!own) throw notFound('revision')
    const sources = []
    for (const one of baselines) {
      const found = await findRevisionWithTexts(db, tenant, one.ruleset, one.version)
      if (!found) throw notFound('revision')
      sources.push({ name: one.ruleset, revision: found.hashes[found.dialect], source: found.texts[found.dialect] })
    }
    const included = await read.baselines(tenant, { text: own.texts[own.dialect], baselines: sources })
    if (included.ok) return included.text
    const first = included.diagnostics.find(({ severity }) => severity === 'error')
    throw new Problem(
      problems.invalidInput,
      `${ruleset} version ${version} cannot include the baselines. ${first?.message ?? ''}`,
      { facts: { diagnostics: included.diagnostics.map(diagnosticOnWire) } },
    )
  }

  const others = (ruleset: string, baselines: readonly Baseline[]): readonly Baseline[] =>
    baselines.filter((one) => one.ruleset !== ruleset)

  return {
    originOf,
    /** What would be rolled out, as text; undefined when the revision is it already. */
    preview: async (tenant: string, target: Target, all: readonly Baseline[]): Promise<string | undefined> => {
      const baselines = others(target.ruleset, all)
      const origin = await originOf(tenant, target)
      if (areEqual(origin.baselines, baselines)) return undefined
      return textOf(tenant, { ...target, version: origin.fromVersion }, baselines)
    },
    /** The version that includes exactly these baselines: this one, one that was made before, or one made now. */
    versionWith: async (
      who: Caller,
      target: Target,
      all: readonly Baseline[],
      facts: RequestFacts,
    ): Promise<number> => {
      const { ruleset, version } = target
      const baselines = others(ruleset, all)
      const origin = await originOf(who.tenant, target)
      if (areEqual(origin.baselines, baselines)) return version
      const { fromVersion } = origin
      if (baselines.length === 0) return fromVersion
      const made = await findMade(db, who.tenant, ruleset, { fromVersion, baselines })
      if (made !== undefined) return made
      const yaml = await textOf(who.tenant, { ruleset, version: fromVersion }, baselines)
      const words = baselines.map((one) => `${one.ruleset} version ${one.version}`).join(', ')
      const note = `Version ${fromVersion} with the baseline ${words}`
      const known = await findVersionOfHash(db, who.tenant, ruleset, sha256Hex(yaml))
      const newest = known ?? (await upload(who, { yaml, note, field: 'version' }, facts)).version
      await insertMade(db, who.tenant, ruleset, newest, { fromVersion, baselines })
      return newest
    },
  }
}

export function areEqual(one: readonly Baseline[], other: readonly Baseline[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ ruleset, version }, at) => other[at]?.ruleset === ruleset && other[at]?.version === version)
  )
}
