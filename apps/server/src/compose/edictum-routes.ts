import { assignedTo } from '../features/assignments/index.ts'
import type { readHealth } from '../features/health/index.ts'
import type { Route } from '../features/roles/index.ts'
import { agentSessionRoutes } from '../surfaces/edictum/agent-sessions.ts'
import { edictumApprovalRoutes } from '../surfaces/edictum/approvals.ts'
import { assignmentRoutes as edictumAssignmentRoutes } from '../surfaces/edictum/assignments.ts'
import { compositionRoutes as edictumCompositionRoutes } from '../surfaces/edictum/compositions.ts'
import { coverageRoutes as edictumCoverageRoutes } from '../surfaces/edictum/coverage.ts'
import { dashboardStreamRoutes } from '../surfaces/edictum/dashboard-stream.ts'
import { deploymentRoutes } from '../surfaces/edictum/deployments.ts'
import { evaluationRoutes } from '../surfaces/edictum/evaluations.ts'
import { eventSettingRoutes } from '../surfaces/edictum/event-settings.ts'
import { eventRoutes as edictumEventRoutes } from '../surfaces/edictum/events.ts'
import { fleetRoutes as edictumFleetRoutes } from '../surfaces/edictum/fleet.ts'
import { healthRoutes } from '../surfaces/edictum/health.ts'
import { libraryRoutes as edictumLibraryRoutes } from '../surfaces/edictum/library.ts'
import { peopleRoutes as edictumPeopleRoutes } from '../surfaces/edictum/people.ts'
import { rulesetRoutes as edictumRulesetRoutes } from '../surfaces/edictum/rulesets.ts'
import { signingRoutes } from '../surfaces/edictum/signing.ts'
import { statRoutes } from '../surfaces/edictum/stats.ts'
import { streamRoutes } from '../surfaces/edictum/stream.ts'
import { workflowOf } from '../surfaces/edictum/workflow-state.ts'
import type { ComposedAgents } from './agents.ts'
import type { Foundation } from './foundation.ts'
import type { ComposedPeople } from './people.ts'

/** What Edictum's SDKs and scripts speak. */
export function edictumRoutes(
  foundation: Foundation,
  people: ComposedPeople,
  theAgents: ComposedAgents,
  health: ReturnType<typeof readHealth>,
) {
  const { config, baseUrl, version, db, clock, isSecure, newId } = foundation
  const { limit, makeTenant, token, enter, leave, cookie } = people
  const {
    keys,
    rollouts,
    assignments,
    evaluate,
    upload,
    roll,
    library,
    compositions,
    takeApart,
    composeRuleset,
    rotate,
    assignmentRules,
    assign,
    fleet,
    streams,
    consoles,
    agentChanges,
    writeDown,
    fleetReader,
    events,
    coverage,
    agentSessions,
    approvals,
    noteFetch,
  } = theAgents
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
    ...edictumFleetRoutes({
      db,
      fleet: fleetReader,
      change: agentChanges,
      assign,
      writeDown,
      workflowOf: workflowOf(events),
    }),
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
  return { agent: edictum, v1: edictumV1, apiV1: edictumApiV1 }
}
