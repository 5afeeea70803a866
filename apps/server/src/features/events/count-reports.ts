import type { Metrics } from '../../kernel/metrics.ts'
import type { IngestEvents } from './ingest-events.ts'

type Needs = {
  readonly metrics: Pick<Metrics, 'counter' | 'gauge'>
  readonly ingest: IngestEvents
  /** Events that are taken and not stored yet. */
  readonly waiting: () => number
}

/** The same, counted by what became of each event. */
export function countReports({ metrics, ingest, waiting }: Needs): IngestEvents {
  const stored = metrics.counter('events_stored_total', 'Events of agents that this process stored')
  const repeated = metrics.counter('events_repeated_total', 'Events delivered again that were stored already')
  const rejected = metrics.counter('events_rejected_total', 'Events that could not be read, each told to its agent')
  metrics.gauge('events_waiting', 'Events that wait in this process to be stored', waiting)
  return async (sender, events) => {
    const outcome = await ingest(sender, events)
    stored.inc(outcome.accepted)
    repeated.inc(outcome.duplicates)
    rejected.inc(outcome.rejected.length)
    return outcome
  }
}
