import type { RolloutKind } from '@countersign/wire'
import type { Bus } from '../../kernel/bus.ts'
import type { Db, Tx } from '../../kernel/db.ts'
import { invalidInput, notFound, Problem, problems } from '../../kernel/problem.ts'
import { type Caller, demand, type RequestFacts } from '../roles/index.ts'
import { findRevisionWithTexts } from '../rulesets/index.ts'
import { keysThatSign, type SignWithKeys } from '../signing/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import type { ForgetRollout } from './keep-current-rollouts.ts'
import { kindOf } from './rollout.ts'
import { holdEnvironment, insertRollout, insertSignatures, listLivePlaces, lockPlace } from './rollouts-table.ts'
import { signBoth } from './sign-rollout.ts'

type Needs = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly newId: () => string
  readonly sign: SignWithKeys
  readonly tell: { readonly bus: Pick<Bus, 'announce'>; readonly recordAct: RecordAct; readonly forget: ForgetRollout }
}

export type Order = {
  readonly ruleset: string
  readonly version: number
  readonly environment: string
  readonly kind?: RolloutKind | undefined
  readonly note?: string | undefined
  /** What the one who orders it believes to be live; null for nothing. */
  readonly expectedVersion?: number | null | undefined
}

/** `version` is what is live now: with baselines in front it is not the one that was ordered. */
export type RolledOut = { readonly id: string; readonly at: Date; readonly version: number }
/** What must be true exactly when the rollout is: done in its transaction, and undoing it by throwing. */
export type Alongside = (tx: Tx, made: RolledOut) => Promise<void>
export type RollOut = (who: Caller, order: Order, facts: RequestFacts, alongside?: Alongside) => Promise<RolledOut>

/**
 * Makes a revision live. It is signed anew at this moment, whether new, promoted or rolled back to; agents hear of it
 * after the commit, through the outbox row written here.
 */
export function rollOut({ db, clock, newId, sign, tell: { bus, recordAct, forget } }: Needs): RollOut {
  return (who, { ruleset, version, environment, kind, note, expectedVersion }, facts, alongside) =>
    db.inTx(async (tx) => {
      const { tenant } = who
      demand(who, 'rollouts:write', { environment })
      if (!(await holdEnvironment(tx, tenant, environment))) {
        throw invalidInput('body.environment', `There is no environment ${environment}.`)
      }
      const revision = await findRevisionWithTexts(tx, tenant, ruleset, version)
      if (!revision) throw notFound('revision')
      const keys = await keysThatSign(tx, tenant)
      await lockPlace(tx, tenant, environment, ruleset)
      const places = await listLivePlaces(tx, tenant, ruleset)
      const previous = places.find((place) => place.environment === environment)
      if (expectedVersion !== undefined && expectedVersion !== (previous?.version ?? null)) {
        throw stale(environment, previous?.version)
      }
      const isLiveElsewhere = places.some((place) => place !== previous && place.revisionId === revision.id)
      const id = newId()
      const at = clock.now()
      const made = {
        kind: kind ?? kindOf({ version, previous: previous?.version, isLiveElsewhere }),
        note: note === undefined || note.trim() === '' ? null : note,
        previousVersion: previous?.version ?? null,
      }
      await insertRollout(tx, {
        ...made,
        tenant,
        id,
        environment,
        ruleset,
        revisionId: revision.id,
        version,
        previousId: previous?.rolloutId ?? null,
        by: who.id,
        at,
      })
      await insertSignatures(tx, tenant, id, signBoth(sign, tenant, keys, revision.texts), at)
      const rolledOut = { id, at, version }
      await alongside?.(tx, rolledOut)
      await recordAct(tx, {
        ...actorOf(who),
        tenant,
        act: 'ruleset.rolled_out',
        subject: { kind: 'ruleset', id: ruleset },
        request: facts,
        details: {
          ...made,
          rollout_id: id,
          environment,
          version,
          hashes: revision.hashes,
          signing_keys: keys.map((key) => key.id),
        },
      })
      const body = { rollout_id: id, environment, ruleset, version }
      await bus.announce(tx, { topic: 'rollout.created', tenant, body })
      // Whoever made it reads it at once, also before this process hears of it on the bus.
      tx.afterCommit(() => forget(tenant, environment, ruleset))
      return rolledOut
    })
}

function stale(environment: string, version: number | undefined): Problem {
  const live = version === undefined ? 'nothing is live' : `version ${version} is live`
  return new Problem(
    problems.conflict,
    `Somebody else was faster: ${live} in ${environment} now. Look at the difference again, then decide.`,
    { facts: { current_version: version ?? null } },
  )
}
