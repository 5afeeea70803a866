import type { Baseline, RolloutPreview } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import type { Order, previewRollout, RollOut } from '../rollouts/index.ts'
import { listLive, type ReadRulesets } from '../rulesets/index.ts'
import { findBaselines } from './baselines-table.ts'
import { areEqual, type IncludeBaselines } from './include-baselines.ts'

type Needs = { readonly db: Sql; readonly include: IncludeBaselines; readonly rollOut: RollOut }

/** Rolls out what was asked for with the environment's baselines in front. Every way to a rollout leads through here. */
export function rollOutWithBaselines({ db, include, rollOut }: Needs): RollOut {
  return async (who, order, facts, alongside) => {
    const { ruleset, environment } = order
    let baselines = await findBaselines(db, who.tenant, environment)
    let version = await include.versionWith(who, order, baselines, facts)
    const kind = order.kind ?? (version === order.version ? undefined : await stepBack(who.tenant, order))
    let made = await rollOut(who, { ...order, version, kind }, facts, alongside)
    for (;;) {
      // Somebody may have changed them meanwhile, and not seen this rollout when he brought up what was live.
      const now = await findBaselines(db, who.tenant, environment)
      if (areEqual(now, baselines)) return made
      baselines = now
      version = await include.versionWith(who, { ruleset, version }, baselines, facts)
      made = await rollOut(who, { ruleset, version, environment, note: order.note }, facts, alongside)
    }
  }

  /** A version with baselines in front is always a new one: what it was made of says whether this goes back. */
  async function stepBack(tenant: string, { ruleset, version, environment }: Order) {
    const live = (await listLive(db, tenant, ruleset)).find((one) => one.environment === environment)
    if (!live) return undefined
    const [now, next] = await Promise.all([
      include.originOf(tenant, { ruleset, version: live.version }),
      include.originOf(tenant, { ruleset, version }),
    ])
    return next.fromVersion < now.fromVersion ? ('rollback' as const) : undefined
  }
}

type PreviewNeeds = {
  readonly db: Sql
  readonly include: IncludeBaselines
  readonly preview: ReturnType<typeof previewRollout>
  readonly read: Pick<ReadRulesets, 'compare'>
}

/** What a rollout would do, baselines included. */
export function previewWithBaselines({ db, include, preview, read }: PreviewNeeds): ReturnType<typeof previewRollout> {
  return async (tenant, target): Promise<RolloutPreview> => {
    const [plain, all] = await Promise.all([preview(tenant, target), findBaselines(db, tenant, target.environment)])
    const baselines: Baseline[] = all.filter(({ ruleset }) => ruleset !== target.ruleset)
    const text = await include.preview(tenant, target, all)
    if (text === undefined) return { ...plain, baselines }
    const { before_yaml: before } = plain
    const semantic = before === null ? null : await read.compare(tenant, before, text)
    return { ...plain, baselines, after_yaml: text, semantic }
  }
}
