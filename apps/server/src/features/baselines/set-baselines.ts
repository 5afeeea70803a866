import type { Baseline, EnvironmentBaselines } from '@countersign/wire'
import type { Bus } from '../../kernel/bus.ts'
import type { Db } from '../../kernel/db.ts'
import { invalidInput, notFound, Problem, problems } from '../../kernel/problem.ts'
import { type Caller, demand, type RequestFacts } from '../roles/index.ts'
import type { RollOut } from '../rollouts/index.ts'
import { type LiveRow, listLive } from '../rulesets/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import { findBaselines, writeBaselines } from './baselines-table.ts'
import { faultOf } from './fault-of.ts'
import { areEqual, type IncludeBaselines } from './include-baselines.ts'

type Needs = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly include: IncludeBaselines
  readonly rollOut: RollOut
  readonly tell: { readonly bus: Pick<Bus, 'announce'>; readonly recordAct: RecordAct }
}

type Wanted = { readonly baselines: readonly Baseline[]; readonly expected?: readonly Baseline[] | undefined }

export type Baselines = ReturnType<typeof environmentBaselines>

/** What every ruleset of an environment includes: to read, and to change together with all that is live there. */
export function environmentBaselines({ db, clock, include, rollOut, tell: { bus, recordAct } }: Needs) {
  const liveIn = async (tenant: string, environment: string): Promise<readonly LiveRow[]> =>
    (await listLive(db, tenant)).filter((one) => one.environment === environment)

  const show = async (tenant: string, environment: string): Promise<EnvironmentBaselines> => {
    const [baselines, live] = await Promise.all([findBaselines(db, tenant, environment), liveIn(tenant, environment)])
    const rulesets = []
    for (const { ruleset, version } of live) {
      const origin = await include.originOf(tenant, { ruleset, version })
      const wanted = baselines.filter((one) => one.ruleset !== ruleset)
      rulesets.push({
        ruleset,
        version,
        from_version: origin.fromVersion,
        is_included: areEqual(origin.baselines, wanted),
      })
    }
    return { environment, baselines: [...baselines], rulesets }
  }

  return {
    show,
    /** Checked against everything that is live first: when one ruleset cannot include them, nothing changes. */
    set: async (
      who: Caller,
      environment: string,
      { baselines, expected }: Wanted,
      facts: RequestFacts,
    ): Promise<EnvironmentBaselines> => {
      const { tenant } = who
      demand(who, 'rollouts:write', { environment })
      const fault = await faultOf(db, tenant, baselines)
      if (fault !== null) throw invalidInput('body.baselines', fault)
      const live = await liveIn(tenant, environment)
      for (const one of live) await include.preview(tenant, one, baselines)
      await db.inTx(async (tx) => {
        const before = await findBaselines(tx, tenant, environment)
        if (expected && !areEqual(before, expected)) throw stale(environment, before)
        if (!(await writeBaselines(tx, tenant, environment, baselines, who.id, clock.now()))) {
          throw notFound('environment')
        }
        await recordAct(tx, {
          ...actorOf(who),
          tenant,
          act: 'environment.baselines_changed',
          subject: { kind: 'environment', id: environment },
          request: facts,
          details: { before: before.map((one) => ({ ...one })), after: baselines.map((one) => ({ ...one })) },
        })
        await bus.announce(tx, { topic: 'environment.changed', tenant, body: { name: environment } })
      })
      for (const { ruleset, version } of live) {
        const wanted = await include.versionWith(who, { ruleset, version }, baselines, facts)
        if (wanted === version) continue
        await rollOut(who, { ruleset, version: wanted, environment, note: 'The baselines changed' }, facts)
      }
      return show(tenant, environment)
    },
  }
}

function stale(environment: string, before: readonly Baseline[]): Problem {
  const now = before.map(({ ruleset, version }) => `${ruleset} v${version}`).join(', ')
  return new Problem(
    problems.conflict,
    `Somebody else was faster: the baselines of ${environment} are ${now === '' ? 'none' : now} now. Look at them again, then decide.`,
  )
}
