import { performance } from 'node:perf_hooks'
import type { AnchoringHealth } from '../../features/anchors/index.ts'
import type { HeldCalls } from '../../features/approvals/index.ts'
import type { RemovalHealth } from '../../features/retention/index.ts'
import type { Db } from '../../kernel/db.ts'
import type { Metrics } from '../../kernel/metrics.ts'

type Needs = {
  readonly metrics: Metrics
  readonly connections: Db['connections']
  readonly connectedAgents: () => Promise<number>
  readonly openStreams: () => number
  readonly heldCalls: () => Promise<HeldCalls>
  readonly unsequencedSeconds: () => Promise<number>
  readonly workersCrashed: () => number
  /** Nothing while the trail is not anchored. */
  readonly anchoring?: (() => Promise<AnchoringHealth>) | undefined
  /** Nothing while entries stay for ever. */
  readonly retention?: (() => Promise<RemovalHealth>) | undefined
}

/** What is read when somebody asks. A part that cannot be asked shows as not a number, never as zero. */
export function declareGauges({
  metrics,
  connections,
  connectedAgents,
  openStreams,
  heldCalls,
  unsequencedSeconds,
  workersCrashed,
  anchoring,
  retention,
}: Needs): void {
  const orUnknown = (read: () => Promise<number>) => (): Promise<number> => read().catch(() => Number.NaN)
  /** Asks once for all values that are taken from one answer. */
  const oncePerPrint = <Found>(ask: () => Promise<Found>): (() => Promise<Found>) => {
    let asked: Promise<Found> | undefined
    metrics.beforePrint(() => {
      asked = undefined
    })
    return () => (asked ??= ask())
  }
  metrics.gauge('connected_agents', 'Agents with an open stream, on every replica', orUnknown(connectedAgents))
  metrics.gauge('agent_streams', 'Streams of agents that this process holds', openStreams)
  const held = oncePerPrint(heldCalls)
  metrics.gauge(
    'approvals_pending',
    'Held calls that wait for a human',
    orUnknown(async () => (await held()).count),
  )
  metrics.gauge(
    'approvals_waiting_seconds',
    'How long the oldest of them waits',
    orUnknown(async () => (await held()).oldestSeconds),
  )
  metrics.gauge(
    'trail_unsequenced_seconds',
    'Age of the oldest trail entry without a number',
    orUnknown(unsequencedSeconds),
  )
  if (anchoring) {
    const health = oncePerPrint(anchoring)
    const of = (read: (found: AnchoringHealth) => number) => orUnknown(async () => read(await health()))
    metrics.gauge(
      'trail_anchor_healthy',
      '1 while the trail is anchored in time, 0 when somebody has to act',
      of(({ isHealthy }) => Number(isHealthy)),
    )
    metrics.gauge(
      'trail_unanchored_entries',
      'Trail entries that are in no anchor yet',
      of(({ unanchored }) => unanchored),
    )
    metrics.gauge(
      'trail_anchor_waiting_seconds',
      'Age of the newest anchor while there are entries after it',
      of(({ waitingSeconds }) => waitingSeconds),
    )
    metrics.gauge(
      'trail_anchor_failures',
      'Failed attempts at the anchor that waits to be written',
      of(({ failures }) => failures),
    )
  }
  if (retention) {
    const health = oncePerPrint(retention)
    const of = (read: (found: RemovalHealth) => number) => orUnknown(async () => read(await health()))
    metrics.gauge(
      'trail_retention_healthy',
      '1 while expired entries are archived and removed, 0 when somebody has to act',
      of(({ isHealthy }) => Number(isHealthy)),
    )
    metrics.gauge(
      'trail_retention_failures',
      'Failed attempts, one after the other, at archiving or removing expired entries',
      of(({ failures }) => failures),
    )
  }
  metrics.gauge('database_connections', 'Connections to the database that are open', () => connections().open)
  metrics.gauge('database_connections_idle', 'Those of them that nothing uses', () => connections().idle)
  metrics.gauge(
    'database_requests_waiting',
    'What waits for a connection because all that are allowed are in use',
    () => connections().waiting,
  )
  metrics.gauge('workers_crashed', 'Workers of this process that have not succeeded for three periods', workersCrashed)
  metrics.gauge(
    'event_loop_busy_ratio',
    'Share of the time since the last look in which this process was at work',
    busyRatio(),
  )
  metrics.gauge('resident_memory_bytes', 'Resident memory of this process', () => process.memoryUsage.rss())
}

function busyRatio(): () => number {
  let before = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, before)
    before = now
    return utilization
  }
}
