import { join } from 'node:path'
import { deliverEvents } from './deliver-events.ts'
import { GuardFailed } from './errors.ts'
import { type Following, followRevision } from './follow-revision.ts'
import type { Backing } from './guard.ts'
import type { ServerOptions, Settings } from './guard-options.ts'
import { homeFolder } from './host.ts'
import { keptRevision } from './kept-revision.ts'
import { manifestOf } from './manifest.ts'
import { loadRevision } from './revision.ts'
import { openServer } from './server.ts'
import { askServer } from './server-approvals.ts'
import { serverCounters } from './server-counters.ts'
import { localCounters } from './session-counters.ts'
import { openSpool, type Spool } from './spool.ts'
import { openStateFolder, type StateFolder } from './state-folder.ts'
import { openTrust, type Trust } from './trust.ts'
import { within } from './within.ts'
import { localStates, serverStates } from './workflow-states.ts'

const startTimeoutMs = 30_000
const requestTimeoutMs = 15_000
const closeMs = 5_000
/** Behind a long outage there may be minutes of events; the person who is asked need not wait for them. */
const flushBeforeAskMs = 2_000

/** Everything behind a guard that a server keeps up to date. */
export async function fromServer(options: ServerOptions, settings: Settings): Promise<Backing> {
  const { clock, onProblem, agentId, environment } = settings
  const { url, key, ruleset, tags = {}, whenUnrecorded = 'block' } = options
  const timeoutMs = options.requestTimeoutMs ?? requestTimeoutMs
  const server = openServer({ url, key, agentId, timeoutMs })
  const { folder, trust, spool } = await openState(options, settings)
  const delivery = deliverEvents({ spool, server, clock, onProblem })
  let lost = 0

  let following: Following
  try {
    following = await followRevision({
      server,
      clock,
      trust,
      kept: keptRevision({ folder, trust, asked: [url, environment, agentId, ruleset ?? ''].join(' ') }),
      load: (bytes) => loadRevision(bytes, settings),
      asked: { environment, ruleset, tags },
      mayStepBack: options.stepsBack !== 'refuse',
      startTimeoutMs: options.startTimeoutMs ?? startTimeoutMs,
      onLoaded: (revision) => delivery.announce(manifestOf(agentId, revision)),
      // What waited for a server that was away does not wait for its next try as well.
      onConnected: () => void delivery.flush(),
      onProblem,
    })
  } catch (cause) {
    await delivery.stop()
    spool.close()
    throw cause
  }

  const drop = (cause: unknown, count: number): void => {
    if (lost === 0) {
      const message = `Events cannot be written and are lost: ${cause instanceof Error ? cause.message : String(cause)}`
      onProblem({ kind: 'events_lost', message, cause })
    }
    lost += count
  }

  return {
    revision: following.revision,
    counters: options.counters === 'server' ? serverCounters(server) : localCounters(clock.steadyMs),
    states: (workflow) => (options.counters === 'server' ? serverStates(server, workflow) : localStates()),
    ask: askServer({ server, clock, agentId, flush: () => within(flushBeforeAskMs, delivery.flush()) }),
    record: (lines, when) => {
      try {
        spool.append(lines, when)
      } catch (cause) {
        if (whenUnrecorded === 'block') throw cause
        drop(cause, lines.length)
        return
      }
      delivery.wake()
    },
    lost: (cause) => {
      drop(cause, 1)
    },
    status: () => ({
      isConnected: following.isConnected(),
      lostEvents: lost + delivery.lostEvents(),
      unsentBytes: spool.bytes(),
    }),
    close: async () => {
      await following.stop()
      await within(options.requestTimeoutMs ?? closeMs, delivery.flush())
      await delivery.stop()
      spool.close()
    },
  }
}

type State = { readonly folder: StateFolder; readonly trust: Trust; readonly spool: Spool }

async function openState(
  { url, stateDir, publicKeys: pinned, spool = {} }: ServerOptions,
  settings: Settings,
): Promise<State> {
  const { agentId, environment, clock, onProblem } = settings
  const host = new URL(url).host.replace(/[^A-Za-z0-9.-]/g, '-')
  const path = stateDir ?? join(homeFolder(), '.countersign', 'agents', `${host}-${environment}-${agentId}`)
  try {
    const folder = openStateFolder(path)
    const trust = await openTrust({ pinned, folder })
    const onSyncFailed = (cause: unknown): void => {
      onProblem({
        kind: 'state_unusable',
        message: 'Events may not survive a loss of power: the disk does not take them.',
        cause,
      })
    }
    return { folder, trust, spool: openSpool({ folder: join(path, 'spool'), options: spool, clock, onSyncFailed }) }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new GuardFailed(`The state folder ${path} cannot be used: ${why}. Give another as stateDir.`, { cause })
  }
}
