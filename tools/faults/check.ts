import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { RecordedHead } from '@countersign/trail'
import { fsckTrail } from '../../apps/cli/src/trail/fsck.ts'
import type { Db } from '../../apps/server/src/kernel/db.ts'
import type { Acknowledged } from './load.ts'

export type Expected = {
  readonly acknowledged: Acknowledged
  /** Calls whose end the caller was told of. */
  readonly ended: ReadonlySet<string>
  /** The file of effects. */
  readonly effects: string
  /** Every checkpoint that was ever served. */
  readonly heads: readonly RecordedHead[]
  readonly tenant: string
}

export type Findings = { readonly faults: readonly string[]; readonly entries: number }

/** Holds what is in the database against what was promised. Nothing may be written meanwhile. */
export async function checkPromises(db: Db, expected: Expected): Promise<Findings> {
  await allSequenced(db)
  const { acknowledged, ended, tenant } = expected
  const faults: string[] = []
  const blame = (what: string, ids: readonly string[]): void => {
    if (ids.length > 0) faults.push(`${what}: ${ids.length}, the first ${ids.slice(0, 3).join(', ')}`)
  }

  const keys = await strings(db, 'select k.id from agent_keys as k where k.tenant_id = $1', [tenant])
  const made = await strings(db, `select s.subject_id as id from trail_sequence as s where s.act = 'key.created'`)
  blame('acknowledged keys that do not exist', [...without(acknowledged.keys, new Set(keys))])
  blame('keys without an entry', [...without(keys, new Set(made))])
  blame('entries of keys that do not exist', [...without(made, new Set(keys))])
  blame('keys recorded twice', repeated(made))

  const events = await strings(db, 'select e.call_id as id from events as e where e.tenant_id = $1', [tenant])
  blame('acknowledged events that are lost', [...without(acknowledged.events, new Set(events))])
  blame('events kept twice', repeated(events))

  const effects = (await readFile(expected.effects, 'utf8')).split('\n').filter((line) => line !== '')
  const calls = `select s.subject_id as id from trail_sequence as s where s.act = $1`
  const intended = await strings(db, calls, ['call.intended'])
  const done = await strings(db, calls, ['call.ended'])
  blame('effects without an intent', [...without(effects, new Set(intended))])
  blame('acknowledged ends that are lost', [...without(ended, new Set(done))])
  blame('ends of calls without an effect', [...without(done, new Set(effects))])

  const report = await fsckTrail(db, { heads: expected.heads })
  faults.push(...report.faults.map(({ says }) => `trail fsck: ${says}`))
  return { faults, entries: report.entries }
}

async function strings(db: Db, text: string, values: readonly unknown[] = []): Promise<string[]> {
  const rows = await db.query<{ id: string }>(text, values)
  return rows.map(({ id }) => id)
}

function without(wanted: Iterable<string>, found: ReadonlySet<string>): Set<string> {
  return new Set([...wanted].filter((id) => !found.has(id)))
}

function repeated(ids: readonly string[]): readonly string[] {
  const seen = new Set<string>()
  return ids.filter((id) => seen.size === seen.add(id).size)
}

const patienceMs = 60_000

/** Entries get their number within a moment; those that never do are found by what is checked after. */
async function allSequenced(db: Db): Promise<void> {
  for (const end = performance.now() + patienceMs; performance.now() < end; await pause(50)) {
    const [row] = await db.query<{ waiting: number }>(
      'select count(*) as waiting from trail_entries as e where not exists (select from trail_sequence as s where s.entry_id = e.id)',
    )
    if (row?.waiting === 0) return
  }
  throw new Error(`Entries have had no number for ${patienceMs / 1000} s: nothing sequences them.`)
}
