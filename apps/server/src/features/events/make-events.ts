import type { Bus } from '../../kernel/bus.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Keyring } from '../../kernel/crypto.ts'
import type { Db } from '../../kernel/db.ts'
import type { Log } from '../../kernel/log.ts'
import type { Metrics } from '../../kernel/metrics.ts'
import type { Workers } from '../../kernel/workers.ts'
import type { RecordAct } from '../trail/index.ts'
import { countReports } from './count-reports.ts'
import { countFacets } from './event-facets.ts'
import { countHistogram } from './event-histogram.ts'
import { scopeOf } from './event-scope.ts'
import { type EventWords, eventWords } from './event-words.ts'
import { eventWriter } from './event-writer.ts'
import { storedIds } from './events-table.ts'
import { foldCounts } from './fold-counts.ts'
import { type Evidence, type IngestEvents, ingestEvents } from './ingest-events.ts'
import { makePartitions } from './make-partitions.ts'
import { expireEvents, purgeEvents } from './purge-events.ts'
import { ruleCoverage } from './rule-coverage.ts'
import { searchEvents } from './search-events.ts'
import { tellArrivals } from './tell-arrivals.ts'
import { usedTools } from './used-tools.ts'

type Needs = {
  readonly kernel: {
    readonly db: Db
    readonly bus: Bus
    readonly clock: Clock
    readonly log: Log
    readonly metrics: Metrics
    readonly workers: Workers
  }
  readonly keyring: Keyring
  readonly recordAct: RecordAct
  /** Told after the commit which revisions agents were seen to run. Must be cheap. */
  readonly noteEvidence: (evidence: readonly Evidence[]) => void
  readonly daysKept: (tenant: string) => Promise<number | null>
}

export type Events = {
  readonly words: EventWords
  readonly ingest: IngestEvents
  readonly scope: ReturnType<typeof scopeOf>
  readonly search: ReturnType<typeof searchEvents>
  readonly facets: ReturnType<typeof countFacets>
  readonly histogram: ReturnType<typeof countHistogram>
  readonly coverage: ReturnType<typeof ruleCoverage>
  readonly usedTools: ReturnType<typeof usedTools>
  readonly purge: ReturnType<typeof purgeEvents>
  /** Waits for what agents were not answered for yet. */
  readonly settle: () => Promise<void>
}

/** Everything about events, with its workers. */
export function makeEvents({ kernel, keyring, recordAct, noteEvidence, daysKept }: Needs): Events {
  const { db, bus, clock, log, metrics, workers } = kernel
  const words = eventWords(db)
  const writer = eventWriter({ db, clock })
  const tell = tellArrivals({ db, bus, clock, log })
  workers.add({ name: 'partition', everyMs: 3_600_000, work: makePartitions({ db, clock }) })
  workers.add({ name: 'event_counts', everyMs: 5_000, work: foldCounts({ db, clock }) })
  workers.add({ name: 'event_retention', everyMs: 3_600_000, work: expireEvents({ db, clock, daysKept }) })
  const ingest = ingestEvents({
    clock,
    words,
    writer,
    macs: keyring.macs('event-dedup'),
    storedIds: (tenant, ids) => storedIds(db, tenant, ids),
    hear: ({ tenant, environment }, accepted, evidence) => {
      noteEvidence(evidence)
      if (accepted === 0) return
      const agents = evidence.map(({ agentId }) => agentId)
      tell(tenant, environment, agents, accepted)
    },
  })
  return {
    words,
    ingest: countReports({ metrics, ingest, waiting: writer.waiting }),
    scope: scopeOf({ db, words }),
    search: searchEvents({ db, words }),
    facets: countFacets({ db, words }),
    histogram: countHistogram({ db, words }),
    coverage: ruleCoverage({ db, words }),
    usedTools: usedTools({ db, words }),
    purge: purgeEvents({ db, clock, recordAct }),
    settle: writer.settle,
  }
}
