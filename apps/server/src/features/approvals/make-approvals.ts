import type { Bus } from '../../kernel/bus.ts'
import type { Clock, Stop } from '../../kernel/clock.ts'
import type { Keyring } from '../../kernel/crypto.ts'
import type { Db } from '../../kernel/db.ts'
import type { Log } from '../../kernel/log.ts'
import type { Events } from '../events/index.ts'
import type { TakeFromLimit } from '../limits/index.ts'
import type { Mfa } from '../mfa/index.ts'
import type { Caller } from '../roles/index.ts'
import type { ReadRulesets, RevisionOfHash } from '../rulesets/index.ts'
import type { ReadSetting } from '../settings/index.ts'
import type { RecordAct } from '../trail/index.ts'
import type { Approval } from './approval.ts'
import { approvalOfCall } from './approval-of-call.ts'
import { makeWaiting } from './await-settlement.ts'
import { countersign } from './countersign.ts'
import { cancelApproval, decideApproval } from './decide-approval.ts'
import { decideMany } from './decide-many.ts'
import { describeApproval } from './describe-approval.ts'
import { cancelOrphansOfKeys, expireApprovals } from './expire-approvals.ts'
import { exportCountersignatures } from './export-countersignatures.ts'
import { whatMayOfEach } from './four-eyes.ts'
import { limitRequests } from './limit-requests.ts'
import { readApprovals } from './list-approvals.ts'
import { approvalPolicies, policyOf } from './policies.ts'
import { pollApproval, readApproval } from './read-approval.ts'
import { reportedEvents } from './reported-events.ts'
import { requestApproval } from './request-approval.ts'
import { revisionText } from './revision-text.ts'

type Needs = {
  readonly kernel: {
    readonly db: Db
    readonly bus: Bus
    readonly clock: Clock
    readonly newId: () => string
    readonly log: Log
  }
  readonly keyring: Pick<Keyring, 'digest'>
  readonly recordAct: RecordAct
  /** What decisions are signed with. */
  readonly passkeys: Pick<Mfa, 'prove' | 'attempt' | 'rp' | 'factorOf'>
  readonly limits: { readonly takeFromLimit: TakeFromLimit; readonly readSetting: ReadSetting }
  /** What other features know of the agent that asks. */
  readonly agents: {
    readonly lastRevisionOf: (tenant: string, environment: string, agentId: string) => Promise<string | null>
    readonly revisionOfHash: RevisionOfHash
    readonly rulesets: Pick<ReadRulesets, 'model'>
    readonly events: Pick<Events, 'scope' | 'search'>
  }
}

/** The inbox of held calls, whole: who asks, who answers, who waits. */
export function makeApprovals({ kernel, keyring, recordAct, limits, agents, passkeys }: Needs) {
  const { db, bus, clock, newId, log } = kernel
  const acts = { db, clock, bus, recordAct }
  const waiting = makeWaiting({ bus, clock })
  const countersigning = countersign({ db, clock, passkeys })
  const decide = decideApproval({ ...acts, countersign: countersigning })
  const textOf = revisionText({ db, revisionOfHash: agents.revisionOfHash, read: agents.rulesets })
  const read = readApproval({ db, clock })
  const expire = expireApprovals(acts)
  const cancelOfRevoked = cancelOrphansOfKeys(acts)
  let stop: Stop = () => undefined

  return {
    request: requestApproval({
      ...acts,
      newId,
      keyring,
      limitRequests: limitRequests(limits),
      lastRevisionOf: agents.lastRevisionOf,
      policyOf: policyOf({ db, revisionText: textOf }),
    }),
    poll: pollApproval({ db, clock, waiting }),
    decide,
    countersign: countersigning,
    policies: approvalPolicies(acts),
    exportCountersignatures: exportCountersignatures({ db }),
    decideMany: decideMany({ decide, clock }),
    cancel: cancelApproval(acts),
    read,
    readApprovals: readApprovals({ db, clock }),
    whatMayOfEach: (who: Caller, approvals: readonly Approval[], now: Date) => whatMayOfEach(db, who, approvals, now),
    describe: describeApproval({
      db,
      clock,
      readApproval: read,
      revisionText: textOf,
      reportedEvents: reportedEvents({ events: agents.events }),
    }),
    ofCall: approvalOfCall({ db, clock }),
    /** One pass of the worker `approval_timeout`. */
    sweep: async (): Promise<void> => {
      await expire()
      await cancelOfRevoked()
    },
    start: (): void => {
      stop = bus.on('key.revoked', () => {
        // The sweep comes a second later in any case.
        cancelOfRevoked().catch((err: unknown) => log.debug({ err }, 'Approvals of a revoked key wait for the sweep'))
      })
    },
    /** Lets those who wait for an answer go; they ask again elsewhere. */
    drain: (): void => {
      stop()
      waiting.release()
    },
  }
}

export type Approvals = ReturnType<typeof makeApprovals>
