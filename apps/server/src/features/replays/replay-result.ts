import type { ChangeCounts, ReplayOutcome, Sample } from '@countersign/rehearsal'
import type { ReplayResult } from '@countersign/wire'

const changes = {
  newlyBlocked: 'newly_blocked',
  newlyHeld: 'newly_held',
  newlyAllowed: 'newly_allowed',
  same: 'same',
  undecided: 'undecided',
} as const

/** The outcome as it is kept and shown. */
export function resultOnWire(
  outcome: ReplayOutcome,
  { events, seconds }: { readonly events: number; readonly seconds: number },
): ReplayResult {
  const { counts, rules, tools, samples, histogram, assumptions, skipped } = outcome
  return {
    counts: { ...countsOnWire(counts), calls: counts.calls, distinct_calls: counts.distinctCalls },
    rules: rules.map(({ rule, newlyBlocked, newlyHeld, newlyAllowed, undecided, observed }) => ({
      rule,
      newly_blocked: newlyBlocked,
      newly_held: newlyHeld,
      newly_allowed: newlyAllowed,
      undecided,
      observed,
    })),
    tools: tools.map(({ tool, ...one }) => ({ tool, ...countsOnWire(one) })),
    samples: samples.map(sampleOnWire),
    histogram: {
      bucket_seconds: histogram.bucketSeconds,
      buckets: histogram.buckets.map(({ atMs, ...one }) => ({
        at: new Date(atMs).toISOString(),
        ...countsOnWire(one),
      })),
    },
    assumptions: [...assumptions],
    skipped,
    rows_per_second: Math.round(events / Math.max(seconds, 0.001)),
    distinct_per_second: Math.round(counts.distinctCalls / Math.max(seconds, 0.001)),
  }
}

function countsOnWire({ newlyBlocked, newlyHeld, newlyAllowed, same, undecided }: ChangeCounts) {
  return { newly_blocked: newlyBlocked, newly_held: newlyHeld, newly_allowed: newlyAllowed, same, undecided }
}

function sampleOnWire(sample: Sample): ReplayResult['samples'][number] {
  return {
    change: changes[sample.change],
    rule: sample.rule ?? null,
    event_id: sample.eventId,
    at: new Date(sample.atMs).toISOString(),
    agent_id: sample.agent,
    environment: sample.environment,
    tool: sample.tool,
    args: sample.args,
    was: { verdict: sample.was.verdict, rule: sample.was.rule ?? null },
    now: { verdict: sample.now.verdict, rule: sample.now.rule ?? null, message: sample.now.message ?? null },
    why: sample.why ?? null,
    count: sample.count,
  }
}
