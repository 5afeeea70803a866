import type { TrialStatus } from '@countersign/wire'
import type { Bus } from '../../kernel/bus.ts'
import { sha256Hex } from '../../kernel/crypto.ts'
import type { Db, Tx } from '../../kernel/db.ts'
import type { Log } from '../../kernel/log.ts'
import { invalidInput, notFound, Problem, problems } from '../../kernel/problem.ts'
import { listEnvironments } from '../environments/index.ts'
import type { Events } from '../events/index.ts'
import { authorityOfList, type Caller, demand, type RequestFacts } from '../roles/index.ts'
import type { RollOut } from '../rollouts/index.ts'
import {
  findRevisionWithTexts,
  findVersionOfHash,
  listLive,
  type ReadRulesets,
  type UploadRuleset,
} from '../rulesets/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import { findTrial, insertTrial, listOpenTrials, moveTrial, supersedeTrials, type Trial } from './trials-table.ts'

type Needs = {
  readonly kernel: {
    readonly db: Db
    readonly clock: { readonly now: () => Date }
    readonly newId: () => string
    readonly log: Pick<Log, 'warn'>
  }
  readonly events: Pick<Events, 'scope' | 'facets'>
  readonly rulesets: { readonly read: Pick<ReadRulesets, 'observe'>; readonly upload: UploadRuleset }
  readonly rollOut: RollOut
  readonly tell: { readonly bus: Pick<Bus, 'announce'>; readonly recordAct: RecordAct }
}

export type TrialOrder = {
  readonly ruleset: string
  readonly version: number
  readonly environment: string
  readonly minutes: number
  readonly wouldBlockMax: number
}

export type Trials = ReturnType<typeof rolloutTrials>

/** Rolls revisions out with their new rules only observing, and lets them enforce when the stated condition holds. */
export function rolloutTrials({ kernel, events, rulesets: { read, upload }, rollOut, tell }: Needs) {
  const { db, clock, newId, log } = kernel

  const liveVersion = async (tenant: string, ruleset: string, environment: string): Promise<number | undefined> =>
    (await listLive(db, tenant, ruleset)).find((one) => one.environment === environment)?.version

  type Recorded = {
    readonly tenant: string
    readonly trial: Pick<Trial, 'id' | 'ruleset' | 'environment'>
    readonly act: 'started' | Ending
    readonly details: Record<string, string | number>
    /** Who did it and how; without, the server did it by itself. */
    readonly by?: { readonly who: Caller; readonly facts: RequestFacts }
  }

  const record = async (tx: Tx, { tenant, trial, act, details, by }: Recorded): Promise<void> => {
    const { id, ruleset, environment } = trial
    await tell.recordAct(tx, {
      ...(by ? actorOf(by.who) : { actor: { kind: 'system', id: 'rollout_trials' } }),
      tenant,
      act: `rollout_trial.${act}`,
      subject: { kind: 'rollout_trial', id },
      ...(by && { request: by.facts }),
      details: { ruleset, environment, ...details },
    })
    await tell.bus.announce(tx, { topic: 'rollout_trial.changed', tenant, body: { trial_id: id } })
  }

  const start = async (who: Caller, order: TrialOrder, facts: RequestFacts): Promise<Trial> => {
    const { tenant } = who
    const { ruleset, version, environment, minutes, wouldBlockMax } = order
    demand(who, 'rollouts:write', { environment })
    const revision = await findRevisionWithTexts(db, tenant, ruleset, version)
    if (!revision) throw notFound('revision')
    if (!(await listEnvironments(db, tenant)).some(({ name }) => name === environment)) {
      throw invalidInput('body.environment', `There is no environment ${environment}.`)
    }
    const { dialect, texts } = revision
    const current = await liveVersion(tenant, ruleset, environment)
    const before = current === undefined ? undefined : await findRevisionWithTexts(db, tenant, ruleset, current)
    const observed = await read.observe(tenant, { text: texts[dialect], before: before?.texts[dialect] })
    if (observed.rules.length === 0) {
      throw new Problem(problems.invalidInput, 'No rule of it is new or changed and enforcing: roll it out as it is.')
    }
    const note = `Version ${version}, new and changed rules only observing`
    // One that ended half-way left its text behind: started again, it goes on from there.
    const known = await findVersionOfHash(db, tenant, ruleset, sha256Hex(observed.text))
    const observing = known ?? (await upload(who, { yaml: observed.text, note, field: 'version' }, facts)).version
    const place = { tenant, ruleset, environment }
    let id = ''
    // What observes is live exactly when there is a trial that brings it to its end, whenever this process ends.
    await rollOut(who, { ruleset, version: observing, environment, note }, facts, async (tx, made) => {
      id = newId()
      for (const one of await supersedeTrials(tx, { ...place, madeAt: made.at })) {
        const trial = { id: one.id, ruleset, environment }
        await record(tx, { tenant, trial, act: 'superseded', details: { version: one.version }, by: { who, facts } })
      }
      const { at: madeAt, version: trialVersion, id: rolloutId } = made
      const endsAt = new Date(madeAt.getTime() + minutes * 60_000)
      const { rules } = observed
      const written = { ...place, id, version, trialVersion, rolloutId, rules, wouldBlockMax, endsAt, madeAt }
      await insertTrial(tx, { ...written, madeBy: who.id })
      const details = { version, minutes, would_block_max: wouldBlockMax }
      await record(tx, { tenant, trial: { id, ruleset, environment }, act: 'started', details, by: { who, facts } })
    })
    return found(await findTrial(db, tenant, id))
  }

  /** A trial's end and the entry that tells of it; false when somebody else has ended it. */
  const end = async (
    tx: Tx,
    trial: Trial,
    from: readonly TrialStatus[],
    to: Ending,
    wouldBlocks?: number,
    by?: Recorded['by'],
  ): Promise<boolean> => {
    if (!(await moveTrial(tx, trial, from, to, wouldBlocks, clock.now()))) return false
    const details = { version: trial.version, ...(wouldBlocks !== undefined && { would_blocks: wouldBlocks }) }
    await record(tx, { tenant: trial.tenant, trial, act: to, details, ...(by && { by }) })
    return true
  }

  /** Beside the rollout that enforces; a second time when baselines changed meanwhile and it is rolled out again. */
  const enforce = async (
    tx: Tx,
    trial: Trial,
    from: readonly TrialStatus[],
    wouldBlocks: number,
    by?: Recorded['by'],
  ): Promise<void> => {
    if (await end(tx, trial, from, 'enforced', wouldBlocks, by)) return
    if ((await findTrial(tx, trial.tenant, trial.id))?.status !== 'enforced') throw ended()
  }

  /** Calls that its rules would have stopped since it began. */
  const countWouldBlocks = async ({ tenant, environment, rules, madeAt }: Trial): Promise<number> => {
    const scope = await events.scope(tenant, {
      environment: [environment],
      rule: rules,
      verdict: ['call_would_block'],
      since: madeAt.toISOString(),
    })
    return (await events.facets(scope)).total.count
  }

  const check = async (trial: Trial): Promise<void> => {
    const { tenant, ruleset, environment, version } = trial
    const now = clock.now()
    const live = await liveVersion(tenant, ruleset, environment)
    if (live !== trial.trialVersion) {
      const to = live === version ? 'enforced' : 'superseded'
      await db.inTx((tx) => end(tx, trial, open, to))
      return
    }
    const wouldBlocks = await countWouldBlocks(trial)
    if (wouldBlocks > trial.wouldBlockMax) {
      await db.inTx((tx) => end(tx, trial, open, 'stopped', wouldBlocks))
      return
    }
    if (now < trial.endsAt) {
      await moveTrial(db, trial, ['observing'], 'observing', wouldBlocks, now)
      return
    }
    if (!(await moveTrial(db, trial, open, 'enforcing', wouldBlocks, now))) return
    const who = ordererOf(trial)
    const facts = { id: `trial ${trial.id}`, address: '', userAgent: '' }
    const note = `Observed until ${now.toISOString()}: ${wouldBlocks} calls would have been stopped, at most ${trial.wouldBlockMax} were allowed`
    // Only when nothing else became live meanwhile.
    const order = { ruleset, version, environment, note, expectedVersion: live }
    await rollOut(who, order, facts, async (tx) => {
      await enforce(tx, trial, ['enforcing'], wouldBlocks)
    })
  }

  return {
    start,
    cancel: async (who: Caller, id: string, facts: RequestFacts): Promise<Trial> => {
      const trial = found(await findTrial(db, who.tenant, id))
      demand(who, 'rollouts:write', { environment: trial.environment })
      const isEnded = await db.inTx((tx) => end(tx, trial, cancellable, 'cancelled', undefined, { who, facts }))
      if (!isEnded) throw ended()
      return found(await findTrial(db, who.tenant, id))
    },
    /** A person decides before the time is over, or after it was stopped. What else became live meanwhile stays. */
    promote: async (who: Caller, id: string, note: string | undefined, facts: RequestFacts): Promise<Trial> => {
      const { tenant } = who
      const trial = found(await findTrial(db, tenant, id))
      if (!promotable.includes(trial.status)) throw ended()
      const { ruleset, version, environment, trialVersion } = trial
      const wouldBlocks = await countWouldBlocks(trial)
      const why = note === undefined || note.trim() === '' ? '' : `: ${note.trim()}`
      const order = { ruleset, version, environment, note: `Observed, then told to enforce${why}` }
      await rollOut(who, { ...order, expectedVersion: trialVersion }, facts, async (tx) => {
        await enforce(tx, trial, promotable, wouldBlocks, { who, facts })
      })
      return found(await findTrial(db, tenant, id))
    },
    /** One pass over all that observe. One that fails keeps no other from its end. */
    checkAll: async (): Promise<void> => {
      for (const trial of await listOpenTrials(db)) {
        await check(trial).catch((err: unknown) => {
          log.warn({ err, trial: trial.id }, 'A trial could not be brought on and will be tried again')
        })
      }
    },
  }
}

type Ending = 'cancelled' | 'enforced' | 'stopped' | 'superseded'

const open: readonly TrialStatus[] = ['observing', 'enforcing']
const cancellable: readonly TrialStatus[] = ['observing', 'stopped']
/** What a person may still let enforce. */
const promotable: readonly TrialStatus[] = ['observing', 'enforcing', 'stopped']

function ended(): Problem {
  return new Problem(problems.conflict, 'This trial has ended already. What is live is in the history of its ruleset.')
}

function found(trial: Trial | undefined): Trial {
  if (!trial) throw notFound('trial')
  return trial
}

/** It is done in the name of whoever stated the condition, who was permitted to do exactly this. */
function ordererOf({ tenant, madeBy, madeByEmail, id, environment }: Trial): Caller {
  const email = madeByEmail ?? ''
  const authority = authorityOfList(new Set(['rollouts:write', 'rulesets:write', 'protected:write']), [environment], [])
  return {
    is: 'person',
    tenant,
    id: madeBy,
    email,
    name: email,
    sessionId: `trial ${id}`,
    ...authority,
    // Proven when the trial was ordered, which needed what a rollout needs.
    factors: {
      isEnrolled: false,
      isRequired: false,
      isVerified: true,
      isSteppedUp: true,
      steppedUpUntil: null,
      isUnspent: false,
      hasPassword: true,
    },
  }
}
