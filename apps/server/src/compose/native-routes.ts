import { configuredSettings } from '../boot/configured-settings.ts'
import { manageRoles, roleRoutes } from '../features/access/index.ts'
import { anchorRoutes } from '../features/anchors/index.ts'
import { approvalRoutes } from '../features/approvals/index.ts'
import { assignmentRoutes, previewAssignmentRule } from '../features/assignments/index.ts'
import {
  baselineRoutes,
  environmentBaselines,
  previewBaselines,
  previewWithBaselines,
} from '../features/baselines/index.ts'
import { cliSignInRoutes } from '../features/cli-sign-in/index.ts'
import { compositionRoutes } from '../features/compositions/index.ts'
import { coverageRoutes } from '../features/coverage/index.ts'
import { environmentRoutes, listEnvironments } from '../features/environments/index.ts'
import { eventRoutes } from '../features/events/index.ts'
import { fleetRoutes, listStreamsOfKey } from '../features/fleet/index.ts'
import { jobRoutes } from '../features/jobs/index.ts'
import { agentKeyRoutes } from '../features/keys/index.ts'
import { libraryRoutes } from '../features/library/index.ts'
import { mfaRoutes } from '../features/mfa/index.ts'
import { providerRoutes } from '../features/oidc/index.ts'
import { overviewRoutes, readOverview } from '../features/overview/index.ts'
import { linkRoutes, peopleRoutes, setupRoutes } from '../features/people/index.ts'
import { listRecoveryNotices, recoveryRoutes } from '../features/recovery/index.ts'
import { findNewestReplay, replayOnWire, replayRoutes, requestReplay, retryReplay } from '../features/replays/index.ts'
import { liftOneHold, placeHold, retentionRoutes } from '../features/retention/index.ts'
import type { Route } from '../features/roles/index.ts'
import { previewRollout, readRollout, rolloutRoutes } from '../features/rollouts/index.ts'
import { diffRevisions, findDraft, rulesetRoutes } from '../features/rulesets/index.ts'
import {
  changePassword,
  countSessions,
  othersSessionRoutes,
  rotateSession,
  sessionRoutes,
} from '../features/sessions/index.ts'
import { settingRoutes } from '../features/settings/index.ts'
import { retireSigningKey, signingKeyRoutes } from '../features/signing/index.ts'
import { consoleStreamRoutes } from '../features/streams/index.ts'
import { passwordsTaken } from '../features/tenants/index.ts'
import { tokenRoutes } from '../features/tokens/index.ts'
import { eraseSubject, erasureRoutes, readNewestCheckpoint, trailRoutes } from '../features/trail/index.ts'
import { trialRoutes } from '../features/trials/index.ts'
import type { ComposedAgents } from './agents.ts'
import type { Foundation } from './foundation.ts'
import type { ComposedPeople } from './people.ts'
import type { ComposedRecord } from './record.ts'

/** Our own API, table by table. */
export function nativeRoutes(
  foundation: Foundation,
  theRecord: ComposedRecord,
  people: ComposedPeople,
  theAgents: ComposedAgents,
): Route[] {
  const { config, baseUrl, version, db, clock, keyring, sealing, isSecure, newId, workers, bus } = foundation
  const { macs, record, anchoring, retention } = theRecord
  const {
    limit,
    setting,
    makeTenant,
    token,
    policy,
    limitsOf,
    mfa,
    takesPassword,
    enter,
    passkeys,
    leave,
    cookie,
    tell,
    tokenManager,
    peopleManager,
    providers,
    door,
    cli,
    links,
    settings,
    sessionsOfOthers,
  } = people
  const {
    keys,
    replicaId,
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
    consoles,
    agentChanges,
    fleetReader,
    events,
    trials,
    coverage,
    stopOneReplay,
    approvals,
  } = theAgents
  const newestReplay = async (tenant: string, hashes: readonly string[]) => {
    const found = await findNewestReplay(db, tenant, hashes)
    return found ? replayOnWire(found) : null
  }
  return [
    ...setupRoutes({ db, makeFirstTenant: makeTenant, token, takeFromLimit: limit }),
    ...sessionRoutes({
      db,
      clock,
      signIn: enter,
      passkeys,
      endSessions: leave,
      changePassword: changePassword({
        db,
        takeFromLimit: limit,
        recordAct: record,
        policy,
        bus,
        rotate: rotateSession({ keyring, bus }),
      }),
      cookie,
      isSecure,
      limitsOf,
      factorsReset: (who) => mfa.reset.notice(who),
      recoveriesToTell: ({ tenant, id }) => listRecoveryNotices(db, tenant, id),
      server: { version, base_url: baseUrl, profile: config.profile },
    }),
    ...mfaRoutes({ mfa, clock, cookie }),
    ...othersSessionRoutes({ sessions: sessionsOfOthers }),
    ...peopleRoutes({ db, clock, people: peopleManager, countSessions: countSessions({ db, clock, limitsOf }) }),
    ...providerRoutes({ providers, takesPasswords: passwordsTaken({ db, takesPassword }), door }),
    ...cliSignInRoutes({ signIns: cli }),
    ...linkRoutes({ db, clock, links, cookie }),
    ...recoveryRoutes({ db }),
    ...roleRoutes({ db, roles: manageRoles({ db, clock, tell }) }),
    ...tokenRoutes({ db, clock, tokens: tokenManager, readSetting: setting }),
    ...environmentRoutes({ db, clock, bus, recordAct: record }),
    ...baselineRoutes({
      baselines: environmentBaselines({
        db,
        clock,
        include,
        rollOut: rollOutAsIs,
        tell: { bus, recordAct: record },
      }),
      preview: previewBaselines({ db, include, read: rulesets }),
      hasEnvironment: async (tenant, name) => (await listEnvironments(db, tenant)).some((one) => one.name === name),
    }),
    ...agentKeyRoutes({ db, keys, streamsOfKey: (tenant, keyId) => listStreamsOfKey(db, tenant, keyId) }),
    ...settingRoutes({ settings }, configuredSettings(config)),
    ...rulesetRoutes({ db, check, upload, diff: diffRevisions({ db, read: rulesets }), read: rulesets, evaluate }),
    ...rolloutRoutes({
      db,
      rollOut: roll,
      preview: previewWithBaselines({
        db,
        include,
        preview: previewRollout({ db, read: rulesets, newestReplay }),
        read: rulesets,
      }),
      read: readRollout({ db, clock }),
    }),
    ...replayRoutes({
      db,
      request: requestReplay({
        db,
        clock,
        newId,
        findDraft: findDraft({ db, check }),
        tell: { bus, recordAct: record },
      }),
      stop: stopOneReplay,
    }),
    ...jobRoutes({
      db,
      clock,
      workers,
      replica: replicaId,
      acts: {
        cancelReplay: stopOneReplay,
        retryReplay: retryReplay({ db, tell: { bus, recordAct: record } }),
        cancelTrial: trials.cancel,
      },
    }),
    ...signingKeyRoutes({ db, rotate, retire: retireSigningKey({ db, clock, bus, recordAct: record }) }),
    ...assignmentRoutes({
      db,
      rules: assignmentRules,
      assign,
      preview: previewAssignmentRule({ db, orderOf }),
      resolve: { assignment: assignments.resolveAssignment, orderOf },
    }),
    ...anchorRoutes({ db, recordAct: record, anchoring, readNewestCheckpoint }),
    ...retentionRoutes({
      db,
      retention,
      place: placeHold({ db, clock, newId, recordAct: record }),
      lift: liftOneHold({ db, clock, recordAct: record }),
    }),
    ...erasureRoutes({ db, erase: eraseSubject({ db, clock, recordAct: record }) }),
    ...trailRoutes({ db, keyring: sealing, macs, recordAct: record }),
    ...consoleStreamRoutes({ consoles }),
    ...fleetRoutes({
      db,
      fleet: fleetReader,
      change: agentChanges,
      revisionOfHash: revisionOf,
      resolveAssignment: assignments.resolveAssignment,
    }),
    ...trialRoutes({ db, trials }),
    ...libraryRoutes({ db, rules: library }),
    ...compositionRoutes({ db, compositions, compose: composeRuleset, importRuleset: takeApart, rollOut: roll }),
    ...coverageRoutes({ db, coverage, read: rulesets }),
    ...approvalRoutes({ db, clock, recordAct: record, approvals }),
    ...overviewRoutes({
      db,
      read: readOverview({ db, clock, events, approvals: approvals.readApprovals, fleet: fleetReader }),
    }),
    ...eventRoutes({ db, clock, events, recordAct: record, approvalOf: approvals.ofCall }),
  ]
}
