import type { ReplayResult, ReplayStatus } from '@countersign/wire'

/** A ruleset tried on recorded calls. */
export type ReplayRow = {
  readonly id: string
  readonly number: number
  readonly ruleset: string
  readonly version: number | null
  readonly draftHash: string
  readonly baselineRuleset: string | null
  readonly baselineVersion: number | null
  readonly since: Date
  readonly until: Date
  readonly environment: string | null
  readonly agents: readonly string[]
  readonly tools: readonly string[]
  readonly status: ReplayStatus
  readonly isCancelling: boolean
  readonly rowsRead: number
  readonly rowsTotal: number | null
  readonly distinctCalls: number
  readonly counts: ReplayResult['counts'] | null
  readonly failure: string | null
  readonly madeBy: string
  readonly madeByEmail: string | null
  readonly madeAt: Date
  readonly startedAt: Date | null
  readonly endedAt: Date | null
}

/** What whoever runs it needs beside the row. */
export type ClaimedReplay = {
  readonly tenant: string
  readonly id: string
  readonly draftText: string
  readonly baselineText: string | null
  readonly since: Date
  readonly until: Date
  readonly environment: string | null
  readonly agents: readonly string[]
  readonly tools: readonly string[]
  readonly attempts: number
}

export type ReplayEnd =
  | { readonly is: 'done'; readonly result: ReplayResult }
  | { readonly is: 'failed'; readonly failure: string }
  | { readonly is: 'cancelled' }

/** One that ends its process so often is not tried again. */
export const attemptsMax = 3
