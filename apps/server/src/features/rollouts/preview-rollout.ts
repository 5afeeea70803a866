import type { Replay, RolloutPreview } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { invalidInput, notFound } from '../../kernel/problem.ts'
import { findRevisionWithTexts, type ReadRulesets } from '../rulesets/index.ts'
import { countSigningKeys } from '../signing/index.ts'
import { kindOf } from './rollout.ts'
import { type Follower, listFollowers } from './rollout-agents-table.ts'
import { findEnvironment, listLivePlaces } from './rollouts-table.ts'

type Needs = {
  readonly db: Sql
  readonly read: Pick<ReadRulesets, 'compare'>
  /** The newest replay of a revision, known by its hashes. */
  readonly newestReplay: (tenant: string, hashes: readonly string[]) => Promise<Replay | null>
}
type Target = { readonly ruleset: string; readonly version: number; readonly environment: string }

const shownMax = 1_000

/** What a rollout would do: what changes for whom. Nothing is written. */
export function previewRollout({ db, read, newestReplay }: Needs) {
  return async (tenant: string, { ruleset, version, environment }: Target): Promise<RolloutPreview> => {
    const [place, revision, places, followers, keys] = await Promise.all([
      findEnvironment(db, tenant, environment),
      findRevisionWithTexts(db, tenant, ruleset, version),
      listLivePlaces(db, tenant, ruleset),
      listFollowers(db, tenant, environment, ruleset),
      countSigningKeys(db, tenant),
    ])
    if (!place) throw invalidInput('body.environment', `There is no environment ${environment}.`)
    if (!revision) throw notFound('revision')
    const live = places.find((one) => one.environment === environment)
    const before = live && (await findRevisionWithTexts(db, tenant, ruleset, live.version))
    const { dialect, hashes } = revision
    const isRunningIt = ({ runningHash }: Follower): boolean =>
      runningHash === hashes.ruleset || runningHash === hashes.contract_bundle
    const semantic = before && (await read.compare(tenant, before.texts[dialect], revision.texts[dialect]))
    return {
      ruleset,
      environment,
      version,
      kind: kindOf({
        version,
        previous: live?.version,
        isLiveElsewhere: places.some((one) => one !== live && one.revisionId === revision.id),
      }),
      is_protected: place.isProtected,
      current: live
        ? { version: live.version, rollout_id: live.rolloutId, rolled_out_at: live.at.toISOString() }
        : null,
      agents: followers.slice(0, shownMax).map((agent) => ({
        agent_id: agent.agentId,
        is_connected: agent.isConnected,
        is_running_it: isRunningIt(agent),
      })),
      connected_count: followers.filter(({ isConnected }) => isConnected).length,
      agent_count: followers.length,
      semantic: semantic ?? null,
      before_yaml: before?.texts[dialect] ?? null,
      after_yaml: revision.texts[dialect],
      signing_key_count: keys,
      baselines: [],
      newest_replay: await newestReplay(tenant, [hashes.ruleset, hashes.contract_bundle]),
    }
  }
}
