import type { Metrics } from '../../kernel/metrics.ts'

type Needs = {
  readonly metrics: Metrics
  readonly connectedAgents: () => Promise<number>
  readonly unsequencedSeconds: () => Promise<number>
  readonly workersCrashed: () => number
}

/** What is read when somebody asks. A part that cannot be asked shows as not a number, never as zero. */
export function declareGauges({ metrics, connectedAgents, unsequencedSeconds, workersCrashed }: Needs): void {
  const orUnknown = (read: () => Promise<number>) => (): Promise<number> => read().catch(() => Number.NaN)
  metrics.gauge('connected_agents', 'Agents with an open stream, on every replica', orUnknown(connectedAgents))
  metrics.gauge(
    'trail_unsequenced_seconds',
    'Age of the oldest trail entry without a number',
    orUnknown(unsequencedSeconds),
  )
  metrics.gauge('workers_crashed', 'Workers of this process that have not succeeded for three periods', workersCrashed)
  metrics.gauge('resident_memory_bytes', 'Resident memory of this process', () => process.memoryUsage.rss())
}
