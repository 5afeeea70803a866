import type { Baseline, BaselinesPreview } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { Problem } from '../../kernel/problem.ts'
import { findRevisionWithTexts, type LiveRow, listLive, type ReadRulesets } from '../rulesets/index.ts'
import { faultOf } from './fault-of.ts'
import { areEqual, type IncludeBaselines } from './include-baselines.ts'

type Needs = {
  readonly db: Sql
  readonly include: IncludeBaselines
  readonly read: Pick<ReadRulesets, 'compare'>
}

export type PreviewBaselines = ReturnType<typeof previewBaselines>

/** What other baselines would change for all that is live in an environment, and which of it could not include them. */
export function previewBaselines({ db, include, read }: Needs) {
  const changeOf = async (tenant: string, live: LiveRow, all: readonly Baseline[]) => {
    const { ruleset, version } = live
    const { fromVersion, baselines } = await include.originOf(tenant, live)
    const plain = { ruleset, version, from_version: fromVersion }
    const wanted = all.filter((one) => one.ruleset !== ruleset)
    if (areEqual(baselines, wanted)) return { ...plain, is_changed: false, semantic: null, problem: null }
    try {
      const after = await include.preview(tenant, live, all)
      const before = await findRevisionWithTexts(db, tenant, ruleset, version)
      if (after === undefined || !before) return { ...plain, is_changed: false, semantic: null, problem: null }
      const semantic = await read.compare(tenant, before.texts[before.dialect], after)
      return { ...plain, is_changed: true, semantic, problem: null }
    } catch (error) {
      // That one ruleset cannot include them is what is asked; anything else is not an answer.
      if (!(error instanceof Problem)) throw error
      return { ...plain, is_changed: true, semantic: null, problem: error.message }
    }
  }

  return async (tenant: string, environment: string, baselines: readonly Baseline[]): Promise<BaselinesPreview> => {
    const problem = await faultOf(db, tenant, baselines)
    if (problem !== null) return { environment, problem, rulesets: [] }
    const rulesets = []
    for (const live of await listLive(db, tenant)) {
      if (live.environment === environment) rulesets.push(await changeOf(tenant, live, baselines))
    }
    return { environment, problem: null, rulesets }
  }
}
