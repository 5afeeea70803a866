import type { Sql } from '../../kernel/db.ts'
import type { Dialect, Tags } from './agent.ts'
import { type Asked, type Recalled, recallAgents } from './agents-table.ts'
import type { Notebook } from './notebook.ts'

export type Remembered = {
  readonly tags: Tags
  readonly seenDialect: Dialect | undefined
  readonly fetched: { readonly ruleset: string; readonly version: number } | undefined
}

type Waiting = Asked & {
  readonly resolve: (remembered: Remembered) => void
  readonly reject: (cause: unknown) => void
}

/** Long enough to gather the connects of a storm, too short to be noticed by one. */
const gatherMs = 5
const batchMax = 1_000

/** What is remembered of agents, read for many at once when many ask at once. */
export function makeRecall({
  db,
  notebook,
}: {
  readonly db: Sql
  readonly notebook: Notebook
}): (tenant: string, environment: string, agentId: string, keyId: string) => Promise<Remembered> {
  let waiting: Waiting[] = []
  let isGathering = false

  const answer = ({ tenant, environment, agentId, keyId }: Asked, row: Recalled | undefined): Remembered => {
    // What this replica has heard and not written yet is newer than the row.
    const news = notebook.unwritten({ tenant, environment, agentId })
    const fetch = notebook.unwrittenFetch(tenant, keyId, agentId)
    const stored = row && row.ruleset !== null && row.version !== null ? row : undefined
    const fetched = fetch ?? (stored && { ruleset: stored.ruleset ?? '', version: stored.version ?? 0 })
    return {
      tags: row?.tags ?? {},
      seenDialect: news?.dialect ?? row?.dialect ?? undefined,
      fetched: fetched && { ruleset: fetched.ruleset, version: fetched.version },
    }
  }

  const read = async (some: readonly Waiting[]): Promise<void> => {
    try {
      const rows = await recallAgents(db, some)
      for (const [n, one] of some.entries()) one.resolve(answer(one, rows[n]))
    } catch (cause) {
      for (const one of some) one.reject(cause)
    }
  }

  const gather = (): void => {
    if (isGathering) return
    isGathering = true
    setTimeout(() => {
      isGathering = false
      const all = waiting
      waiting = []
      for (let start = 0; start < all.length; start += batchMax) void read(all.slice(start, start + batchMax))
    }, gatherMs)
  }

  return (tenant, environment, agentId, keyId) =>
    new Promise((resolve, reject) => {
      waiting.push({ tenant, environment, agentId, keyId, resolve, reject })
      gather()
    })
}
