import type { FastifyInstance } from 'fastify'
import { configuredSeeds } from './boot/configured-providers.ts'
import { composeAgents } from './compose/agents.ts'
import { edictumRoutes } from './compose/edictum-routes.ts'
import { type ComposeNeeds, layFoundation } from './compose/foundation.ts'
import { nativeRoutes } from './compose/native-routes.ts'
import { composePeople } from './compose/people.ts'
import { rackRoutes } from './compose/rack-routes.ts'
import { composeRecord } from './compose/record.ts'
import { heldCalls } from './features/approvals/index.ts'
import { countConnectedAgents } from './features/fleet/index.ts'
import { readHealth } from './features/health/index.ts'
import { proveInline } from './features/mfa/index.ts'
import { bootstrapFromConfig, type MakeFirstTenant, makeAnotherTenant, seedPeople } from './features/people/index.ts'
import type { MountNeeds, Route } from './features/roles/index.ts'
import { warnOfUnlisted } from './features/secrets/index.ts'
import { csrfTokens, renewCookie, spendUnspent, unspentMs } from './features/sessions/index.ts'
import { countPeople, passwordsTaken } from './features/tenants/index.ts'
import { publicLogRoutes, trailHealth } from './features/trail/index.ts'
import type { Bus } from './kernel/bus.ts'
import type { Clock } from './kernel/clock.ts'
import type { FromMemory } from './kernel/http.ts'
import { mountConsole } from './surfaces/console/mount-console.ts'
import { fetchFromMemory } from './surfaces/edictum/fetch-from-memory.ts'
import { mountEdictum } from './surfaces/edictum/mount-edictum.ts'
import { mountNative, mountPublicLog } from './surfaces/native/mount-native.ts'
import { declareGauges } from './surfaces/ops/gauges.ts'
import { metricsRoute } from './surfaces/ops/metrics.ts'
import { observeRequests } from './surfaces/ops/observe-requests.ts'
import { mountRack } from './surfaces/rack/mount-rack.ts'

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

/** Builds every object by hand, in order: with the files of compose/, one a subject, this is the architecture. */
export function compose(needs: ComposeNeeds): App {
  let isDraining = false
  let fromMemory: FromMemory | undefined
  // A draining server has more to say with its answers than what they hold.
  const foundation = layFoundation(needs, (request, path) => (isDraining ? undefined : fromMemory?.(request, path)))
  const { config, baseUrl, version, db, clock, log, keyring, metrics, workers, redis, bus, http } = foundation
  const theRecord = composeRecord(foundation)
  const { anchoring, retentionHealth, refusals } = theRecord
  const people = composePeople(foundation, theRecord)
  const theAgents = composeAgents(foundation, theRecord, people)
  const { tenantNeeds, makeTenant, mfa, sessions, cookie, tokens, caller, providers, takesPassword } = people
  const { agents, fleet, rulesets, rollouts, noteFetch, progress, streams, consoles, events, replays, approvals } =
    theAgents

  const health = readHealth({
    db,
    workers,
    redis: { isConfigured: redis !== undefined, ping: redis?.ping ?? (() => Promise.resolve()) },
    connectedAgents: () => countConnectedAgents(db),
    isTrailHealthy: async () => {
      const parts = await Promise.all([trailHealth({ db, clock }), anchoring?.health(), retentionHealth?.()])
      return parts.every((part) => part?.isHealthy !== false)
    },
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
  const native = nativeRoutes(foundation, theRecord, people, theAgents)
  const edictum = edictumRoutes(foundation, people, theAgents, health)
  const csrf = csrfTokens(keyring)
  const rack = rackRoutes(foundation, theRecord, people, csrf)
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
  fromMemory = fetchFromMemory({
    memory: { agent: agents.fromMemory, rollout: rollouts.fromMemory, seenDialect: fleet.dialectInMemory },
    noteFetch,
    noteAnswered: observing.noteAgents,
  })
  declareGauges({
    metrics,
    connections: db.connections,
    connectedAgents: () => countConnectedAgents(db),
    openStreams: streams.count,
    heldCalls: heldCalls({ db, clock }),
    unsequencedSeconds: async () => (await trailHealth({ db, clock })).unsequencedSeconds,
    anchoring: anchoring?.health,
    retention: retentionHealth,
    workersCrashed: () => Object.values(workers.health()).filter(({ state }) => state === 'crashed').length,
  })
  metricsRoute(http, { metrics, token: config.monitoringToken })
  mountEdictum(http, mount, edictum)
  mountRack(http, { ...mount, csrf }, rack)
  mountNative(http, { ...mount, version, isDescribed: config.profile !== 'production' }, native)
  mountPublicLog(http, mount, publicLog)
  mountConsole(http, { baseUrl, csrf, log })

  return {
    http,
    routes: { native, publicLog, rack, edictum: [...edictum.agent, ...edictum.v1, ...edictum.apiV1] },
    makeTenant: makeAnotherTenant(tenantNeeds),
    bus,
    bootstrap: async (email, password) => {
      const made = await bootstrapFromConfig({ db, makeFirstTenant: makeTenant })(email, password)
      await seedPeople(tenantNeeds)(configuredSeeds(config), { hasProvider: providers.length > 0 })
      if (providers.length === 0 && !(await passwordsTaken({ db, takesPassword })())) {
        log.warn(
          {},
          'Nobody can sign in: passwords are switched off and no identity provider is configured. See docs/recovery.md',
        )
      }
      await warnOfUnlisted({ db, sealing: needs.sealing, log })
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
      // Nobody sends requests to a start that failed, or to a process of workers.
      if (http.server.listening) await beforeClosing(config.drainSeconds, clock)
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

/** Readiness is false by now, and whoever sends requests here needs a moment to ask for it. */
function beforeClosing(seconds: number, clock: Pick<Clock, 'after'>): Promise<void> {
  if (seconds === 0) return Promise.resolve()
  return new Promise((resolve) => {
    clock.after(seconds * 1_000, resolve)
  })
}
