// How fast the trail is written and verified. Usage: npm run bench:trail [-- --entries 1000000]

import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { emptyFrontier, entryBytes, exportLine, leafHash } from '@countersign/trail'
import { verifyExport } from '../apps/cli/src/trail/trail-export.ts'
import { openDataFolder } from '../apps/server/src/boot/data-folder.ts'
import { startEmbeddedPostgres } from '../apps/server/src/boot/embedded-postgres.ts'
import { migrate } from '../apps/server/src/boot/migrate.ts'
import { callRecorder, cutCheckpoints, makeSequencer, proveEntry } from '../apps/server/src/features/trail/index.ts'
import { systemClock } from '../apps/server/src/kernel/clock.ts'
import { makeKeyring, randomToken } from '../apps/server/src/kernel/crypto.ts'
import { type Db, openDb } from '../apps/server/src/kernel/db.ts'
import { idMaker } from '../apps/server/src/kernel/ids.ts'

const callers = 200
const rounds = 5
const perRound = 10_000
const verified = Number(process.argv[process.argv.indexOf('--entries') + 1]) || 1_000_000

const quiet = { info: (): void => undefined, warn: (): void => undefined }
const folder = await mkdtemp(join(tmpdir(), 'countersign-bench-'))
const postgres = await startEmbeddedPostgres({ folder: await openDataFolder(join(folder, 'data')), log: quiet })
const clock = systemClock()
const newId = idMaker(clock.now)
const tenant = newId()

try {
  await migrate({ ownerUrl: postgres.ownerUrl, appUrl: postgres.url, log: quiet })
  const db = openDb({ url: postgres.url, applicationName: 'bench', connectionsMax: 10, onBrokenConnection: quiet.warn })
  const result = {
    cores: availableParallelism(),
    ...(await settings(db)),
    ...(await writing(db)),
    ...(await proving(db)),
    ...(await verifying()),
  }
  await db.end()
  for (const [name, value] of Object.entries(result)) process.stdout.write(`${name.padEnd(36)} ${value}\n`)
  process.stdout.write(`${JSON.stringify({ bench: 'trail', ...result })}\n`)
} finally {
  await postgres.stop()
  await rm(folder, { recursive: true, force: true })
}

/** What makes a commit slow, and must not be traded for speed. */
async function settings(db: Db): Promise<Record<string, string>> {
  const rows = await db.query<{ name: string; setting: string }>(
    "select s.name, s.setting from pg_settings as s where s.name in ('fsync', 'synchronous_commit', 'full_page_writes')",
  )
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))
}

async function writing(db: Db): Promise<Record<string, number>> {
  const calls = callRecorder({ db, clock, newId, keyring: makeKeyring([randomToken()]) })
  const record = (n: number): Promise<void> =>
    calls.record({
      tenant,
      act: 'call.intended',
      outcome: 'intended',
      actor: { kind: 'agent_key', id: tenant, credential: 'agent_key', key_id: tenant },
      subject: { kind: 'tool', id: `tool-${n % 50}` },
      request: { id: `r${n}`, address: '192.0.2.1', userAgent: 'bench' },
      details: { digest: 'f'.repeat(64), environment: 'production' },
    })
  const sequence = makeSequencer({ db, clock })
  const stop = clock.every(50, sequence)
  await many(record, callers, 2000)

  // Turn about, so that a busy moment of the machine slows both.
  const commit: number[] = []
  const single: number[] = []
  for (let n = 0; n < 500; n++) {
    commit.push(await time(() => db.inTx((tx) => tx.query("select pg_logical_emit_message(true, 'bench', 'x')"))))
    single.push(await time(() => record(n)))
  }
  const oneByOne = 500 / (single.reduce((sum, ms) => sum + ms, 0) / 1000)
  let best = 0
  for (let round = 0; round < rounds; round++) best = Math.max(best, await many(record, callers, perRound))
  const drainedFrom = performance.now()
  const wanted = 2000 + 500 + rounds * perRound
  while ((await countOf(db, 'trail_sequence')) < wanted) await sequence()
  const drained = performance.now() - drainedFrom
  stop()
  await calls.close()
  const stored = await countOf(db, 'trail_entries')
  if (stored !== wanted) throw new Error(`${wanted} entries were acknowledged, ${stored} are stored.`)
  return {
    entries_per_second_200_callers: Math.round(best),
    entries_per_second_one_by_one: Math.round(oneByOne),
    times_faster: round1(best / oneByOne),
    single_append_ms_p50: round1(quantile(single, 0.5)),
    bare_commit_ms_p50: round1(quantile(commit, 0.5)),
    numbered_after_load_ms: Math.round(drained),
    entries_stored: stored,
  }
}

/** From the acknowledged append to a signed checkpoint over it, with the workers as the server runs them; then proofs. */
async function proving(db: Db): Promise<Record<string, number>> {
  const keyring = makeKeyring([randomToken()])
  const calls = callRecorder({ db, clock, newId, keyring })
  const cut = cutCheckpoints({ db, clock, sealing: keyring, origin: 'bench.example.com/trail' })
  const sequence = makeSequencer({ db, clock })
  await sequence()
  await cut()
  const stops = [clock.every(50, sequence), clock.every(250, cut)]
  const waits: number[] = []
  for (let n = 0; n < 100; n++) {
    await calls.record({
      tenant,
      act: 'call.intended',
      actor: { kind: 'agent_key', id: tenant },
      subject: { kind: 'tool', id: 'tool' },
    })
    const size = await countOf(db, 'trail_entries')
    waits.push(await time(() => untilSigned(db, size)))
    // Not in step with the workers.
    await new Promise((resolve) => setTimeout(resolve, (n * 37) % 251))
  }
  for (const stop of stops) stop()
  await calls.close()
  const size = await countOf(db, 'trail_sequence')
  const prove = proveEntry({ db })
  const lengths: number[] = []
  const times: number[] = []
  for (let n = 0; n < 500; n++) {
    const number = (n * 7919) % size
    times.push(await time(async () => lengths.push((await prove(tenant, number)).proof.length)))
  }
  return {
    provable_ms_p50: round1(quantile(waits, 0.5)),
    provable_ms_p99: round1(quantile(waits, 0.99)),
    proof_ms_p50: round1(quantile(times, 0.5)),
    proof_ms_p99: round1(quantile(times, 0.99)),
    proof_bytes_max: Math.max(...lengths),
  }
}

async function untilSigned(db: Db, size: number): Promise<void> {
  for (;;) {
    const [row] = await db.query<{ signed: number }>(
      'select coalesce(max(c.size), 0) as signed from trail_checkpoints as c',
    )
    if ((row?.signed ?? 0) >= size) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

async function countOf(db: Db, table: 'trail_entries' | 'trail_sequence'): Promise<number> {
  const [row] = await db.query<{ n: number }>(`select count(*) as n from ${table}`)
  return row?.n ?? 0
}

/** Entries a second with so many callers, each waiting for its answer before its next. */
async function many(record: (n: number) => Promise<void>, width: number, total: number): Promise<number> {
  const started = performance.now()
  let next = 0
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (let n = next++; n < total; n = next++) await record(n)
    }),
  )
  return total / ((performance.now() - started) / 1000)
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

async function verifying(): Promise<Record<string, number>> {
  const path = join(folder, 'export.jsonl')
  await writeExport(path)
  const started = performance.now()
  const report = await verifyExport(path, [])
  if (!report.ok || report.entries !== verified) throw new Error('The export does not verify.')
  const ms = Math.round(performance.now() - started)
  return { entries_verified: verified, verify_ms: ms }
}

async function writeExport(path: string): Promise<void> {
  const out = createWriteStream(path, { highWaterMark: 1 << 22 })
  const write = async (line: Uint8Array): Promise<void> => {
    if (!out.write(Buffer.concat([line, Buffer.from('\n')]))) await once(out, 'drain')
  }
  await write(exportLine({ is: 'log', from: emptyFrontier }))
  for (let number = 0; number < verified; number++) {
    const bytes = entryBytes({
      v: 1,
      id: newId(),
      at: '2026-01-01T00:00:00.000Z',
      tenant,
      act: 'key.created',
      outcome: 'done',
      actor: { kind: 'person', id: tenant, credential: 'session', key_id: tenant },
      subject: { kind: 'key', id: tenant },
      request: { id: `r${number}` },
      details: { environment: 'production', after: { label: 'ci' } },
      sealed: [{ key: 'A'.repeat(43), box: 'B'.repeat(150) }],
    })
    await write(exportLine({ is: 'entry', entry: { number, bytes, leafHash: leafHash(bytes) } }))
  }
  out.end()
  await once(out, 'finish')
}

function quantile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? 0
}

function round1(value: number): number {
  return Math.round(value * 10) / 10
}
