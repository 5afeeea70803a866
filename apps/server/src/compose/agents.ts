import { sessionValues } from '../features/agent-sessions/index.ts'
import { makeApprovals } from '../features/approvals/index.ts'
import { assignAgents, keepAssignments, manageAssignmentRules } from '../features/assignments/index.ts'
import { includeBaselines, rollOutWithBaselines } from '../features/baselines/index.ts'
import { composeRulesets, importRuleset, manageCompositions } from '../features/compositions/index.ts'
import { readCoverage } from '../features/coverage/index.ts'
import { makeEvents } from '../features/events/index.ts'
import {
  changeAgents,
  makeFleet,
  readFleet,
  resolveAgents,
  sweepPresence,
  tellDrift,
  writeDownAgents,
} from '../features/fleet/index.ts'
import { authenticateAgent, manageAgentKeys } from '../features/keys/index.ts'
import { manageRules } from '../features/library/index.ts'
import { runReplays, stopReplay } from '../features/replays/index.ts'
import {
  guardRollout,
  keepCurrentRollouts,
  noteProgress,
  rollOut,
  signCurrentRollouts,
} from '../features/rollouts/index.ts'
import { checkRuleset, evaluateCall, readRulesets, revisionOfHash, uploadRuleset } from '../features/rulesets/index.ts'
import { listLiveSessionIds } from '../features/sessions/index.ts'
import {
  endorseSigningKey,
  findCurrentKeyId,
  makeSigningKey,
  rotateSigningKey,
  signWithKeys,
} from '../features/signing/index.ts'
import { makeAgentStreams, makeConsoleHub } from '../features/streams/index.ts'
import { rolloutTrials } from '../features/trials/index.ts'
import type { Fetch } from '../surfaces/edictum/rulesets.ts'
import type { Foundation } from './foundation.ts'
import type { ComposedPeople } from './people.ts'
import type { ComposedRecord } from './record.ts'

export type ComposedAgents = ReturnType<typeof composeAgents>

/** The agents: their keys, what they run, what they report, what they ask. */
export function composeAgents(
  foundation: Foundation,
  { record }: ComposedRecord,
  { setting, limit, limitsOf, mfa }: ComposedPeople,
) {
  const { config, db, clock, log, keyring, sealing, newId, metrics, workers, bus } = foundation
  const agents = authenticateAgent({ db, clock, keyring, bus })
  workers.add({ name: 'key_uses', everyMs: 10_000, work: agents.flushUses, isOwn: true })
  const keys = manageAgentKeys({
    db,
    clock,
    newId,
    keyring,
    recordAct: record,
    bus,
    currentSigningKeyId: async (tx, tenant) => (await findCurrentKeyId(tx, tenant)) ?? null,
  })
  workers.add({
    name: 'outbox_sweep',
    everyMs: 60_000,
    work: () => db.query(`delete from outbox as o where o.at < $1`, [new Date(clock.now().getTime() - 3_600_000)]),
  })

  const replicaId = newId()
  const rollouts = keepCurrentRollouts({ db, bus })
  const orderOf = (tenant: string) => setting(tenant, 'assignments.order')
  const assignments = keepAssignments({ db, bus, orderOf })
  const sign = signWithKeys({ sealing })
  const rulesets = readRulesets({ clock, log })
  const check = checkRuleset({ db, read: rulesets })
  const evaluate = evaluateCall({ db, check, read: rulesets })
  const upload = uploadRuleset({ db, clock, newId, check, tell: { bus, recordAct: record } })
  const include = includeBaselines({ db, read: rulesets, upload })
  const rollOutAsIs = rollOut({ db, clock, newId, sign, tell: { bus, recordAct: record, forget: rollouts.forget } })
  const roll = guardRollout({ db, rollOut: rollOutWithBaselines({ db, include, rollOut: rollOutAsIs }) })
  const libraryNeeds = { db, clock, newId, read: rulesets, tell: { bus, recordAct: record } }
  const library = manageRules(libraryNeeds)
  const compositions = manageCompositions(libraryNeeds)
  const takeApart = importRuleset({ db, clock, read: rulesets, rules: library, compositions })
  const composeRuleset = composeRulesets({ db, read: rulesets, compositions, upload })
  const rotate = rotateSigningKey({
    db,
    bus,
    recordAct: record,
    make: makeSigningKey({ clock, newId, sealing }),
    endorse: endorseSigningKey({ clock, sign }),
    signCurrentRollouts: signCurrentRollouts({ clock, sign, forgetTenant: rollouts.forgetTenant }),
  })
  const assignmentNeeds = { db, clock, newId, recordAct: record, tell: { bus, forget: assignments.forget } }
  const assignmentRules = manageAssignmentRules(assignmentNeeds)
  const fleet = makeFleet({ db, clock, newId, bus, log, replicaId })
  const revisionOf = revisionOfHash({ db, bus })
  const progress = noteProgress({
    db,
    bus,
    clock,
    log,
    know: { currentRollout: rollouts.currentRollout, revisionOfHash: revisionOf },
  })
  const streams = makeAgentStreams({
    kernel: { db, bus, clock, newId, log },
    fleet,
    rulesets: {
      currentRollout: rollouts.currentRollout,
      resolveAssignment: assignments.resolveAssignment,
    },
    limits: {
      perTenant: config.streamsPerTenant,
      perKey: (tenant) => setting(tenant, 'streams.per_key'),
      agesMs: { min: 30 * 60_000, max: 60 * 60_000 },
    },
    replicaId,
  })
  const writeDown = writeDownAgents({
    kernel: { db, bus, clock, log },
    newId,
    notebook: fleet.notebook,
    replicaId,
    noteArriving: streams.noteArriving,
  })
  const assign = assignAgents({ ...assignmentNeeds, writeDown })

  const silentMinutes = (tenant: string) => setting(tenant, 'fleet.silent_minutes')
  const { resolveAll } = resolveAgents({
    db,
    bus,
    log,
    notebook: fleet.notebook,
    resolveAssignment: assignments.resolveAssignment,
  })
  workers.add({ name: 'assignments', everyMs: 300_000, work: resolveAll })
  const presence = sweepPresence({ db, clock, bus, silentMinutes })
  workers.add({ name: 'presence', everyMs: 10_000, work: presence.sweep })
  workers.add({ name: 'fleet_history', everyMs: 3_600_000, work: presence.prune })
  const consoles = makeConsoleHub({
    db,
    bus,
    clock,
    log,
    liveSessions: listLiveSessionIds({ db, clock, limitsOf }),
  })
  const agentChanges = changeAgents({ db, recordAct: record, bus, writeDown })
  const fleetReader = readFleet({ db, clock, currentRollout: rollouts.currentRollout, silentMinutes })
  workers.add({ name: 'drift', everyMs: 30_000, work: tellDrift({ db, clock, bus, fleet: fleetReader }) })

  const events = makeEvents({
    kernel: { db, bus, clock, log, metrics, workers },
    keyring,
    recordAct: record,
    noteEvidence: fleet.noteEvidence,
    daysKept: (tenant) => setting(tenant, 'events.retention_days'),
  })
  const trials = rolloutTrials({
    kernel: { db, clock, newId, log },
    events,
    rulesets: { read: rulesets, upload },
    rollOut: roll,
    tell: { bus, recordAct: record },
  })
  workers.add({ name: 'rollout_trials', everyMs: 15_000, work: trials.checkAll })
  const coverage = readCoverage({ db, clock, events, read: rulesets })
  const replays = runReplays({ db, clock, log, events, place: { runnerId: replicaId, databaseUrl: db.address } })
  workers.add({ name: 'replays', everyMs: 2_000, work: replays.look })
  if (config.roles.includes('worker')) bus.on('replay.requested', () => void replays.look().catch(() => undefined))
  const stopOneReplay = stopReplay({ db, clock, tell: { recordAct: record } })
  const agentSessions = sessionValues({ db, clock })
  workers.add({ name: 'agent_session_sweep', everyMs: 600_000, work: agentSessions.sweep })
  const approvals = makeApprovals({
    passkeys: mfa,
    kernel: { db, bus, clock, newId, log },
    keyring,
    recordAct: record,
    limits: { takeFromLimit: limit, readSetting: setting },
    agents: {
      lastRevisionOf: fleet.lastRevisionOf,
      revisionOfHash: revisionOf,
      rulesets,
      events,
    },
  })
  workers.add({ name: 'approval_timeout', everyMs: 1_000, work: approvals.sweep })
  streams.onSent(progress.noteSent)
  fleet.onEvidence(({ tenant, environment, agentId, revisionHash, source, at }) => {
    // What was fetched may have been refused by the agent: that is a step of its own.
    if (revisionHash === undefined || source === 'fetch') return
    progress.noteRunning({ tenant, environment, agentId, revisionHash, at })
  })
  const noteFetch = ({ agent, prefix, rollout, rendering, isNamed }: Fetch): void => {
    const { tenant, environment, agentId, keyId } = agent
    if (agentId === undefined) return
    const { rolloutId, ruleset, version, renderings } = rollout
    const at = clock.now()
    const fetched = { keyId, ruleset, version, isV1: prefix === '/v1', isNamed }
    const revisionHash = renderings[rendering].hash
    fleet.noteEvidence([{ tenant, environment, agentId, revisionHash, at, source: 'fetch', fetched }])
    progress.noteFetched({ tenant, rolloutId, agentId, at })
  }

  return {
    agents,
    keys,
    replicaId,
    rollouts,
    orderOf,
    assignments,
    rulesets,
    check,
    evaluate,
    upload,
    include,
    rollOutAsIs,
    roll,
    library,
    compositions,
    takeApart,
    composeRuleset,
    rotate,
    assignmentRules,
    assign,
    revisionOf,
    progress,
    fleet,
    streams,
    consoles,
    writeDown,
    agentChanges,
    fleetReader,
    events,
    trials,
    coverage,
    replays,
    stopOneReplay,
    agentSessions,
    approvals,
    noteFetch,
  }
}
