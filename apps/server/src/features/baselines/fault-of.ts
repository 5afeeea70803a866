import type { Baseline } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { findRevision } from '../rulesets/index.ts'

/** Why these cannot be baselines of any environment; null when they can. */
export async function faultOf(db: Sql, tenant: string, baselines: readonly Baseline[]): Promise<string | null> {
  if (new Set(baselines.map(({ ruleset }) => ruleset)).size < baselines.length) return 'Name each ruleset once.'
  for (const { ruleset, version } of baselines) {
    if (!(await findRevision(db, tenant, ruleset, version))) return `There is no version ${version} of ${ruleset}.`
  }
  return null
}
