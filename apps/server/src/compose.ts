import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from './boot/config.ts'
import { configuredProviders, configuredSeeds } from './boot/configured-providers.ts'
import { configuredFallbacks, configuredSettings } from './boot/configured-settings.ts'
import { manageRoles, roleRoutes } from './features/access/index.ts'
import { sessionValues } from './features/agent-sessions/index.ts'
import { anchoringHealth, anchorRoutes, s3Store, writeAnchors } from './features/anchors/index.ts'
import { approvalRoutes, makeApprovals } from './features/approvals/index.ts'
import {
  assignAgents,
  assignedTo,
  assignmentRoutes,
  keepAssignments,
  manageAssignmentRules,
  previewAssignmentRule,
} from './features/assignments/index.ts'
import {
  baselineRoutes,
  environmentBaselines,
  includeBaselines,
  previewBaselines,
  previewWithBaselines,
  rollOutWithBaselines,
} from './features/baselines/index.ts'
import { cliSignInRoutes, cliSignIns, sweepCliSignIns } from './features/cli-sign-in/index.ts'
import { composeRulesets, compositionRoutes, importRuleset, manageCompositions } from './features/compositions/index.ts'
import { coverageRoutes, readCoverage } from './features/coverage/index.ts'
import { environmentRoutes, listEnvironments } from './features/environments/index.ts'
import { eventRoutes, makeEvents } from './features/events/index.ts'
import {
  changeAgents,
  countConnectedAgents,
  fleetRoutes,
  listStreamsOfKey,
  makeFleet,
  readFleet,
  resolveAgents,
  sweepPresence,
  tellDrift,
} from './features/fleet/index.ts'
import { readHealth, tellWorkers } from './features/health/index.ts'
import { jobRoutes } from './features/jobs/index.ts'
import { agentKeyRoutes, authenticateAgent, manageAgentKeys } from './features/keys/index.ts'
import { libraryRoutes, manageRules } from './features/library/index.ts'
import { sweepLimits, takeFromLimit } from './features/limits/index.ts'
import { makeMfa, mfaRoutes, proveInline } from './features/mfa/index.ts'
import {
  askProvider,
  countAdministratorsWithIdentity,
  providerDoor,
  providerRoutes,
  signInWithProvider,
  sweepAttempts,
} from './features/oidc/index.ts'
import { overviewRoutes, readOverview } from './features/overview/index.ts'
import {
  admitNewcomer,
  bootstrapFromConfig,
  giveRoles,
  linkRoutes,
  type MakeFirstTenant,
  makeAnotherTenant,
  makeFirstTenant,
  makeLink,
  managePeople,
  peopleRoutes,
  seedPeople,
  setupRoutes,
  setupToken,
  useLinks,
} from './features/people/index.ts'
import {
  findNewestReplay,
  replayOnWire,
  replayRoutes,
  requestReplay,
  retryReplay,
  runReplays,
  stopReplay,
} from './features/replays/index.ts'
import { liftOneHold, placeHold, type Retention, removeExpired, retentionRoutes } from './features/retention/index.ts'
import { credentialIn, type MountNeeds, type Route } from './features/roles/index.ts'
import {
  guardRollout,
  keepCurrentRollouts,
  noteProgress,
  previewRollout,
  readRollout,
  rollOut,
  rolloutRoutes,
  signCurrentRollouts,
} from './features/rollouts/index.ts'
import {
  checkRuleset,
  diffRevisions,
  evaluateCall,
  findDraft,
  readRulesets,
  revisionOfHash,
  rulesetRoutes,
  uploadRuleset,
} from './features/rulesets/index.ts'
import {
  authenticatePerson,
  changePassword,
  countSessions,
  csrfTokens,
  endAllSessions,
  endSessions,
  isSessionToken,
  listLiveSessionIds,
  othersSessionRoutes,
  othersSessions,
  proveSession,
  readSessionLimits,
  renewCookie,
  rotateSession,
  sessionCookie,
  sessionRoutes,
  signIn,
  spendUnspent,
  startSession,
  sweepSessions,
  unspentMs,
} from './features/sessions/index.ts'
import { manageSettings, readSetting, settingRoutes } from './features/settings/index.ts'
import {
  endorseSigningKey,
  findCurrentKeyId,
  makeFirstSigningKey,
  makeSigningKey,
  retireSigningKey,
  rotateSigningKey,
  signingKeyRoutes,
  signWithKeys,
} from './features/signing/index.ts'
import { consoleStreamRoutes, makeAgentStreams, makeConsoleHub } from './features/streams/index.ts'
import { countPeople, passwordsTaken } from './features/tenants/index.ts'
import { authenticateToken, manageTokens, tokenRoutes } from './features/tokens/index.ts'
import {
  type Act,
  cutCheckpoints,
  entryMacs,
  eraseSubject,
  erasureRoutes,
  findLastCheckpoint,
  logSigner,
  makeSequencer,
  originOf,
  pageEntries,
  publicLogRoutes,
  readNewestCheckpoint,
  readTrailHead,
  recordAct,
  recordRefusals,
  trailHealth,
  trailRoutes,
  writeActs,
} from './features/trail/index.ts'
import { rolloutTrials, trialRoutes } from './features/trials/index.ts'
import { makeRedisRelay } from './kernel/bus/redis.ts'
import { type Bus, makeBus } from './kernel/bus.ts'
import type { Clock } from './kernel/clock.ts'
import type { Keyring, Secret } from './kernel/crypto.ts'
import type { Db, Sql, Tx } from './kernel/db.ts'
import { makeHttp } from './kernel/http.ts'
import { idMaker } from './kernel/ids.ts'
import type { Log } from './kernel/log.ts'
import { makeMetrics } from './kernel/metrics.ts'
import { makeWorkers } from './kernel/workers.ts'
import { mountConsole } from './surfaces/console/mount-console.ts'
import { agentSessionRoutes } from './surfaces/edictum/agent-sessions.ts'
import { edictumApprovalRoutes } from './surfaces/edictum/approvals.ts'
import { assignmentRoutes as edictumAssignmentRoutes } from './surfaces/edictum/assignments.ts'
import { compositionRoutes as edictumCompositionRoutes } from './surfaces/edictum/compositions.ts'
import { coverageRoutes as edictumCoverageRoutes } from './surfaces/edictum/coverage.ts'
import { dashboardStreamRoutes } from './surfaces/edictum/dashboard-stream.ts'
import { deploymentRoutes } from './surfaces/edictum/deployments.ts'
import { evaluationRoutes } from './surfaces/edictum/evaluations.ts'
import { eventSettingRoutes } from './surfaces/edictum/event-settings.ts'
import { eventRoutes as edictumEventRoutes } from './surfaces/edictum/events.ts'
import { fleetRoutes as edictumFleetRoutes } from './surfaces/edictum/fleet.ts'
import { healthRoutes } from './surfaces/edictum/health.ts'
import { libraryRoutes as edictumLibraryRoutes } from './surfaces/edictum/library.ts'
import { mountEdictum } from './surfaces/edictum/mount-edictum.ts'
import { peopleRoutes as edictumPeopleRoutes } from './surfaces/edictum/people.ts'
import { rulesetRoutes as edictumRulesetRoutes, type Fetch } from './surfaces/edictum/rulesets.ts'
import { signingRoutes } from './surfaces/edictum/signing.ts'
import { statRoutes } from './surfaces/edictum/stats.ts'
import { streamRoutes } from './surfaces/edictum/stream.ts'
import { workflowOf } from './surfaces/edictum/workflow-state.ts'
import { mountNative, mountPublicLog } from './surfaces/native/mount-native.ts'
import { declareGauges } from './surfaces/ops/gauges.ts'
import { metricsRoute } from './surfaces/ops/metrics.ts'
import { observeRequests } from './surfaces/ops/observe-requests.ts'
import { rackTokenRoutes } from './surfaces/rack/api-tokens.ts'
import { rackAuditRoutes } from './surfaces/rack/audit-logs.ts'
import { rackInfoRoutes } from './surfaces/rack/info.ts'
import { rackMfaRoutes } from './surfaces/rack/mfa.ts'
import { mountRack } from './surfaces/rack/mount-rack.ts'
import { rackSettingRoutes } from './surfaces/rack/settings.ts'
import { rackSignInRoutes } from './surfaces/rack/sign-in.ts'
import { rackUserRoutes } from './surfaces/rack/users.ts'

export type ComposeNeeds = {
  readonly config: Config
  readonly baseUrl: string
  readonly version: string
  readonly db: Db
  readonly clock: Clock
  readonly log: Log
  /** Digests of what callers present. */
  readonly keyring: Keyring
  /** Seals what must be opened again. */
  readonly sealing: Keyring
  readonly setupSecret: Secret
  readonly pendingMigrations: () => Promise<number>
}

export type App = {
  readonly http: FastifyInstance
  readonly routes: Readonly<Record<'native' | 'publicLog' | 'edictum' | 'rack', readonly Route[]>>
  readonly start: () => Promise<void>
  /** Turns readiness false, tells streams to reconnect, finishes what is under way, closes. */
  readonly stop: () => Promise<void>
  readonly bootstrap: ReturnType<typeof bootstrapFromConfig>
  readonly makeTenant: MakeFirstTenant
  readonly bus: Bus
}

/** Builds every object by hand, in order: this page is the architecture. */
export function compose(needs: ComposeNeeds): App {
  const { config, baseUrl, version, db, clock, log, keyring, sealing } = needs
  const isSecure = baseUrl.startsWith('https:')
  let isDraining = false

  // Kernel
  const newId = idMaker(clock.now)
  const metrics = makeMetrics()
  const workers = makeWorkers({ clock, log })
  tellWorkers({ metrics, workers })
  const redis = config.redisUrl && makeRedisRelay({ url: config.redisUrl, log })
  const bus = makeBus({ db, clock, log, relay: redis })
  const http = makeHttp({
    baseUrl,
    allowedHosts: config.allowedHosts,
    corsOrigins: config.corsOrigins,
    trustedProxies: config.trustedProxies,
    bodyBytesMax: 1_048_576,
  })

  // The record comes first: nothing below acts without it.
  const macs = entryMacs(config.trailMacSecret, config.oldTrailMacSecrets)
  const record = recordAct({ clock, newId, keyring: sealing, macOf: macs.macOf })
  const sequence = makeSequencer({ db, clock })
  workers.add({ name: 'trail_sequencer', everyMs: 50, work: sequence })
  const checkpoint = cutCheckpoints({ db, clock, sealing, origin: originOf(baseUrl) })
  workers.add({ name: 'trail_checkpoints', everyMs: 250, work: checkpoint })
  const anchoring = composeAnchoring({ config, db, clock, log, signer: logSigner(sealing) })
  if (anchoring) workers.add({ name: 'trail_anchors', everyMs: 15_000, work: anchoring.write.pass })
  const retention = composeRetention({
    config,
    db,
    clock,
    log,
    newId,
    anchoring,
    entries: { keyring: sealing, macOf: macs.macOf },
  })
  if (retention) workers.add({ name: 'trail_retention', everyMs: 600_000, work: () => retention.remove.pass() })
  const refusals = recordRefusals({ db, record, log, clock })
  workers.add({ name: 'trail_refusals', everyMs: 5_000, work: refusals.settle, isOwn: true })

  // Who may do what
  const limit = takeFromLimit({ db, clock })
  workers.add({ name: 'limit_sweep', everyMs: 3_600_000, work: sweepLimits({ db, clock }) })
  const configured = configuredFallbacks(config)
  const setting = readSetting({ db, bus, configured })
  const tenantNeeds = {
    db,
    clock,
    newId,
    recordAct: record,
    furnish: async (tx: Tx, tenant: string) => {
      await makeFirstSigningKey({ clock, newId, sealing })(tx, tenant)
    },
  }
  const makeTenant = makeFirstTenant(tenantNeeds)
  const token = setupToken(needs.setupSecret)
  const policy = {
    attempts: config.signInAttempts,
    windowSeconds: config.signInWindowSeconds,
  }
  const stepUpMinutes = (tenant: string) => setting(tenant, 'mfa.step_up_minutes')
  const limitsOf = readSessionLimits(setting)
  const mfa = makeMfa({
    kernel: { db, clock, newId, bus },
    keyrings: { keyring, sealing },
    recordAct: record,
    log,
    proveSession: proveSession({ keyring, bus }),
    rp: {
      id: config.webauthnRpId ?? new URL(baseUrl).hostname,
      name: 'Countersign',
      origins: config.webauthnOrigins ?? [new URL(baseUrl).origin],
    },
    yubico:
      config.yubicoClientId !== undefined && config.yubicoSecretKey
        ? { clientId: config.yubicoClientId, secretKey: config.yubicoSecretKey, url: config.yubicoUrl }
        : undefined,
    trustedDeviceDays: (tenant) => setting(tenant, 'mfa.trusted_device_days'),
    stepUpMinutes,
    isSecure,
  })
  workers.add({ name: 'factor_sweep', everyMs: 600_000, work: mfa.sweep })
  const start = startSession({
    clock,
    newId,
    keyring,
    recordAct: record,
    limitsOf,
    isTrustedDevice: mfa.devices.isTrusted,
  })
  const sessions = authenticatePerson({ db, clock, keyring, bus, limitsOf, stepUpMinutes })
  const takesPassword = (tenant: string) => setting(tenant, 'sign_in.password')
  const enter = signIn({ db, clock, keyring, start, recordAct: record, takeFromLimit: limit, policy, takesPassword })
  const leave = endSessions({ db, bus, recordAct: record })
  const cookie = (value: string, maxAgeSeconds: number): string => sessionCookie(value, maxAgeSeconds, isSecure)
  workers.add({ name: 'session_sweep', everyMs: 600_000, work: sweepSessions({ db, clock, limitsOf }) })
  const tokens = authenticateToken({ db, clock, keyring, bus, takeFromLimit: limit })
  workers.add({ name: 'token_uses', everyMs: 10_000, work: tokens.flushUses, isOwn: true })
  const caller = async (request: FastifyRequest) => {
    const credential = credentialIn(request.headers.authorization)
    if (!credential) return undefined
    if (credential.token.startsWith('rgw_')) return tokens.read(credential.token, request)
    return isSessionToken(credential.token) ? sessions.personOf(credential.token) : undefined
  }
  const tell = { bus, recordAct: record }
  const endAllOf = (tx: Tx, tenant: string, person: string) => endAllSessions(tx, bus, tenant, person)
  const tokenManager = manageTokens({ db, clock, newId, keyring, readSetting: setting, tell })
  const peopleManager = managePeople({
    db,
    clock,
    newId,
    makeLink: makeLink({ clock, newId, keyring, baseUrl }),
    tell: { ...tell, endSessionsOf: endAllOf, revokeTokensOf: tokenManager.revokeAllOf },
  })
  const providers = configuredProviders(config)
  const providerSignIn = signInWithProvider({
    kernel: { db, clock, newId, keyring, sealing, log },
    providers,
    baseUrl,
    ask: askProvider({ clock }),
    tell: {
      recordAct: record,
      start,
      giveRoles: giveRoles({ clock, newId, tell }),
      admitNewcomer: admitNewcomer({ clock, newId, tell }),
    },
  })
  const door = providerDoor({ clock, signIn: providerSignIn, takeFromLimit: limit, cookie, isSecure })
  workers.add({ name: 'sign_in_sweep', everyMs: 600_000, work: sweepAttempts({ db, clock }) })
  const cli = cliSignIns({
    kernel: { db, clock, newId, keyring },
    baseUrl,
    takeFromLimit: limit,
    recordAct: record,
    start,
  })
  workers.add({ name: 'cli_sign_in_sweep', everyMs: 600_000, work: sweepCliSignIns({ db, clock }) })
  const links = useLinks({
    db,
    clock,
    keyring,
    takeFromLimit: limit,
    tell: {
      bus,
      recordAct: record,
      endSessionsOf: endAllOf,
      start: (tx, person, facts) => start(tx, { person, credential: 'invitation', facts }),
    },
  })
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

  // The agents
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
  const assign = assignAgents(assignmentNeeds)
  const revisionOf = revisionOfHash({ db, bus })
  const progress = noteProgress({
    db,
    bus,
    clock,
    log,
    know: { currentRollout: rollouts.currentRollout, revisionOfHash: revisionOf },
  })
  const fleet = makeFleet({ db, clock, newId, bus, log, replicaId })
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
  const agentChanges = changeAgents({ db, recordAct: record, bus })
  const fleetReader = readFleet({ db, clock, currentRollout: rollouts.currentRollout, silentMinutes })
  workers.add({ name: 'drift', everyMs: 30_000, work: tellDrift({ db, clock, bus, fleet: fleetReader }) })

  const events = makeEvents({
    kernel: { db, bus, clock, log, workers },
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
  const noteFetch = ({ agent, prefix, rollout, rendering }: Fetch): void => {
    const { tenant, environment, agentId, keyId } = agent
    if (agentId === undefined) return
    const { rolloutId, ruleset, version, renderings } = rollout
    const at = clock.now()
    const fetched = { keyId, ruleset, version, isV1: prefix === '/v1' }
    const revisionHash = renderings[rendering].hash
    fleet.noteEvidence([{ tenant, environment, agentId, revisionHash, at, source: 'fetch', fetched }])
    progress.noteFetched({ tenant, rolloutId, agentId, at })
  }

  const health = readHealth({
    db,
    workers,
    redis: { isConfigured: redis !== undefined, ping: redis?.ping ?? (() => Promise.resolve()) },
    connectedAgents: () => countConnectedAgents(db),
    isTrailHealthy: async () =>
      (await trailHealth({ db, clock })).isHealthy && ((await anchoring?.health())?.isHealthy ?? true),
    countPeople,
    pendingMigrations: needs.pendingMigrations,
    isDraining: () => isDraining,
  })

  // Doors
  const mount: MountNeeds = {
    authenticate: { person: sessions.person, caller, agent: agents.agent },
    recordRefusal: refusals.record,
    proveInline: proveInline({ prove: mfa.prove, clock, cookie }),
    spendFactor: (who) => spendUnspent(db, who.tenant, who.sessionId, new Date(clock.now().getTime() - unspentMs)),
    log,
    baseUrl,
  }
  const newestReplay = async (tenant: string, hashes: readonly string[]) => {
    const found = await findNewestReplay(db, tenant, hashes)
    return found ? replayOnWire(found) : null
  }
  const objections = {
    'sign_in.password': async (tx: Tx, tenant: string, value: unknown) =>
      value === false && (await countAdministratorsWithIdentity(tx, tenant)) === 0
        ? 'No administrator has signed in with an identity provider yet: nobody could get in to switch it on again.'
        : undefined,
  }
  const settings = manageSettings({ db, clock, bus, recordAct: record, configured, objections })
  const sessionsOfOthers = othersSessions({ db, clock, limitsOf, recordAct: record, bus })
  const native: Route[] = [
    ...setupRoutes({ db, makeFirstTenant: makeTenant, token, takeFromLimit: limit }),
    ...sessionRoutes({
      db,
      clock,
      signIn: enter,
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
      server: { version, base_url: baseUrl, profile: config.profile },
    }),
    ...mfaRoutes({ mfa, clock, cookie }),
    ...othersSessionRoutes({ sessions: sessionsOfOthers }),
    ...peopleRoutes({ db, clock, people: peopleManager, countSessions: countSessions({ db, clock, limitsOf }) }),
    ...providerRoutes({ providers, takesPasswords: passwordsTaken({ db, takesPassword }), door }),
    ...cliSignInRoutes({ signIns: cli }),
    ...linkRoutes({ db, clock, links, cookie }),
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
    ...approvalRoutes({ clock, approvals }),
    ...overviewRoutes({
      db,
      read: readOverview({ db, clock, events, approvals: approvals.readApprovals, fleet: fleetReader }),
    }),
    ...eventRoutes({ db, clock, events, approvalOf: approvals.ofCall }),
  ]
  const inbox = edictumApprovalRoutes({ ...approvals, noteEvidence: fleet.noteEvidence, clock })
  const feed = edictumEventRoutes({ db, clock, newId, events, noteManifest: fleet.noteManifest })
  const edictum: Route[] = [
    ...healthRoutes({
      readHealth: health,
      version,
      isVersionPublic: config.profile !== 'production',
      monitoringToken: config.monitoringToken,
      readyWithoutRedis: config.readyWithoutRedis,
      baseUrl,
    }),
    ...edictumPeopleRoutes({
      db,
      clock,
      signIn: enter,
      endSessions: leave,
      makeFirstTenant: makeTenant,
      token,
      takeFromLimit: limit,
      keys,
      cookie,
      isSecure,
    }),
    ...edictumRulesetRoutes({
      db,
      upload,
      currentRollout: rollouts.currentRollout,
      seenDialect: fleet.seenDialect,
      assignedTo: assignedTo({ db, resolveAssignment: assignments.resolveAssignment }),
      noteFetch,
    }),
    ...evaluationRoutes({ evaluate }),
    ...deploymentRoutes({ db, rollOut: roll }),
    ...signingRoutes({ db, rotate }),
    ...edictumAssignmentRoutes({ db, rules: assignmentRules, resolveAssignment: assignments.resolveAssignment }),
    ...streamRoutes({ streams }),
    ...dashboardStreamRoutes({ consoles }),
    ...edictumFleetRoutes({ db, fleet: fleetReader, change: agentChanges, assign, workflowOf: workflowOf(events) }),
    ...edictumLibraryRoutes({ db, rules: library, importRuleset: takeApart }),
    ...edictumCompositionRoutes({ db, compositions, compose: composeRuleset, rollOut: roll }),
    ...edictumCoverageRoutes({ clock, coverage, fleet: fleetReader }),
    ...inbox.both,
    ...feed.both,
    ...agentSessionRoutes(agentSessions),
    ...statRoutes({ db, clock, events, approvals: approvals.readApprovals }),
  ]
  const edictumV1: Route[] = [...inbox.v1, ...feed.v1]
  const edictumApiV1: Route[] = [...inbox.apiV1, ...feed.apiV1, ...eventSettingRoutes(events.purge)]

  const csrf = csrfTokens(keyring)
  const rack: Route[] = [
    ...rackSignInRoutes({ db, providers, door, cli, endSessions: leave, isSecure }),
    ...rackInfoRoutes({ mfa, csrf, version }),
    ...rackMfaRoutes({ mfa, clock, cookie }),
    ...rackUserRoutes({ db, clock, people: peopleManager, sessions: sessionsOfOthers }),
    ...rackTokenRoutes({ db, clock, tokens: tokenManager }),
    ...rackAuditRoutes({ db, clock, entries: pageEntries({ db, keyring: sealing }), recordAct: record }),
    ...rackSettingRoutes({ settings }),
  ]
  const publicLog = publicLogRoutes({ db })
  const renew = renewCookie({ clock, sessions, cookie })
  http.addHook('onSend', (request, reply, _payload, done) => {
    if (request.who?.is === 'person') renew(request, reply)
    // A connection kept for a next request would hold up the end of the process.
    if (isDraining) reply.header('connection', 'close')
    done()
  })
  http.decorateRequest('who', undefined)
  http.decorateRequest('mounted', undefined)
  http.decorateRequest('inlineFactor', undefined)
  const observing = observeRequests(http, { metrics, log, clock })
  declareGauges({
    metrics,
    connectedAgents: () => countConnectedAgents(db),
    unsequencedSeconds: async () => (await trailHealth({ db, clock })).unsequencedSeconds,
    anchoring: anchoring?.health,
    workersCrashed: () => Object.values(workers.health()).filter(({ state }) => state === 'crashed').length,
  })
  metricsRoute(http, { metrics, token: config.monitoringToken })
  mountEdictum(http, mount, { agent: edictum, v1: edictumV1, apiV1: edictumApiV1 })
  mountRack(http, { ...mount, csrf }, rack)
  mountNative(http, { ...mount, version, isDescribed: config.profile !== 'production' }, native)
  mountPublicLog(http, mount, publicLog)
  mountConsole(http, { baseUrl })

  return {
    http,
    routes: { native, publicLog, rack, edictum: [...edictum, ...edictumV1, ...edictumApiV1] },
    makeTenant: makeAnotherTenant(tenantNeeds),
    bus,
    bootstrap: async (email, password) => {
      const made = await bootstrapFromConfig({ db, makeFirstTenant: makeTenant })(email, password)
      await seedPeople(tenantNeeds)(configuredSeeds(config), { hasProvider: providers.length > 0 })
      return made === 'not given' && (await countPeople(db)) > 0 ? 'not needed' : made
    },
    start: async () => {
      await bus.start()
      observing.start()
      await streams.start()
      consoles.start()
      approvals.start()
      workers.start(config.roles.includes('worker') ? 'all' : 'own')
      await http.ready()
    },
    stop: async () => {
      observing.stop()
      isDraining = true
      consoles.drain()
      await streams.drain()
      approvals.drain()
      await http.close()
      await events.settle()
      await streams.stop()
      await replays.stop()
      await workers.stop()
      anchoring?.store.close()
      anchoring?.archives.close()
      await refusals.close().catch(() => undefined)
      await rulesets.stop()
      await agents.flushUses().catch(() => undefined)
      await tokens.flushUses().catch(() => undefined)
      await progress.flush()
      await bus.stop()
    },
  }
}

/** Signed checkpoints into a store that lets nobody delete them; nothing without a bucket. */
function composeAnchoring({
  config,
  signer,
  ...kernel
}: Pick<ComposeNeeds, 'config' | 'db' | 'clock' | 'log'> & { readonly signer: ReturnType<typeof logSigner> }) {
  const { anchorBucket: bucket, anchorChainId: chainId } = config
  if (bucket === undefined || chainId === undefined) return undefined
  const { anchorIntervalMinutes: intervalMinutes, anchorRetentionDays: retentionDays } = config
  const place = { bucket, chainId, intervalMinutes, retentionDays }
  const {
    s3Region: region,
    s3Endpoint: endpoint,
    s3AccessKeyId: accessKeyId,
    s3SecretAccessKey: secretAccessKey,
  } = config
  const s3 = { bucket, region, endpoint, accessKeyId, secretAccessKey }
  const store = s3Store(s3)
  const logSize = async (): Promise<number> => (await readTrailHead(kernel.db)).size
  return {
    place,
    store,
    signer,
    /** Archives are longer than anchors. */
    archives: s3Store(s3, { patienceMs: 60_000 }),
    write: writeAnchors({ ...kernel, store, place, trail: { findLastCheckpoint, signer } }),
    health: () => anchoringHealth({ db: kernel.db, clock: kernel.clock, place, logSize }),
  }
}

/** Expired entries into archives beside the anchors, and out of the database; nothing while the trail is kept for ever. */
function composeRetention({
  config: { logRetentionDays: retentionDays },
  anchoring,
  entries,
  ...kernel
}: Pick<ComposeNeeds, 'config' | 'db' | 'clock' | 'log'> & {
  readonly newId: () => string
  readonly anchoring: ReturnType<typeof composeAnchoring>
  readonly entries: Parameters<typeof writeActs>[1]
}): Retention | undefined {
  if (retentionDays === undefined || !anchoring) return undefined
  const { place, archives: store, signer } = anchoring
  const policy = { retentionDays, place }
  const write = (tx: Sql, act: Act, id: string): Promise<void> => {
    const at = kernel.clock.now()
    return writeActs(tx, entries, [{ act, id, at }], at)
  }
  return { policy, remove: removeExpired({ ...kernel, store, policy, trail: { signer, write } }) }
}
