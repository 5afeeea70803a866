import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  checkpointText,
  emptyFrontier,
  entryBytes,
  exportLine,
  extendFrontier,
  frontierRoot,
  type Json,
  readCheckpoint,
  readEntry,
  readNote,
  signNote,
  verifierOf,
  verifierText,
} from '@countersign/trail'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { findLastCheckpoint, findLogKey } from '../../../server/src/features/trail/checkpoint-tables.ts'
import { cutCheckpoints } from '../../../server/src/features/trail/cut-checkpoints.ts'
import { keyCreated, openTrail, readLog, type TrailScene, tenant } from '../../../server/test/trail-scene.ts'
import { openCheckPool } from './check-pool.ts'
import type { Report } from './report.ts'
import { trailCommand } from './trail-command.ts'

let scene: TrailScene
let folder: string
let head: string

/** Runs a command as the shell would; answers what it printed and its exit code. */
async function run(...args: readonly string[]): Promise<{ readonly text: string; readonly code: number }> {
  let text = ''
  let code = 0
  const command = trailCommand({
    env: { COUNTERSIGN_DATABASE_URL: scene.database.url },
    print: (more) => void (text += more),
    fail: () => void (code = 1),
  })
  for (const one of [command, ...command.commands])
    one.configureOutput({ writeErr: () => undefined, writeOut: (more) => void (text += more) })
  await command.parseAsync([...args], { from: 'user' })
  return { text, code }
}

async function verify(...args: readonly string[]): Promise<Report> {
  const { text, code } = await run('verify', '--json', ...args)
  const report = readReport(text)
  expect(code).toBe(report.ok ? 0 : 1)
  return report
}

function readReport(text: string): Report {
  const report: Report = JSON.parse(text)
  return report
}

const kinds = (report: Report) => [
  ...new Set(report.faults.map((fault) => `${fault.is}${fault.number === null ? '' : ` ${fault.number}`}`)),
]

const tables = ['trail_entries', 'trail_sequence', 'trail_heads', 'trail_subject_keys'] as const
const entryColumns =
  'id, arrival, tenant_id, at, act, outcome, actor_kind, actor_id, subject_kind, subject_id, bytes, mac, mac_key'

/** A log of 30 entries in five batches, with a copy to put back after each attack. */
async function makeScene(): Promise<void> {
  scene = await openTrail()
  for (let i = 0; i < 30; i++) {
    await scene.record(scene.db, { ...keyCreated(i), personal: { actor: { email: 'ada@example.com' } } })
    if (i % 6 === 5) await scene.sequence()
  }
  head = (await run('head')).text.trim()
  const copies = tables.map((table) => `create table kept.${table} as table ${table}`)
  await scene.asSuperuser(['create schema kept', ...copies].join(';'))
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-trail-'))
  await makeScene()
})

beforeEach(async () => {
  const back = tables.map((table) => {
    const columns = table === 'trail_entries' ? entryColumns : '*'
    const into = table === 'trail_entries' ? `${table} (${columns})` : table
    return `truncate ${table}; insert into ${into} select ${columns} from kept.${table}`
  })
  await attack(back.join(';'))
})

afterAll(async () => {
  await scene.close()
  await rm(folder, { recursive: true })
})

/** With every right there is, and leaving no trigger behind that would tell. */
const attack = (text: string, values?: unknown[]) => scene.asSuperuser(unguarded(text, values), values && undefined)

function unguarded(text: string, values: unknown[] = []): string {
  const written = values.reduce<string>(
    (sql, value, i) => sql.replaceAll(`$${i + 1}`, `'\\x${Buffer.from(value as Uint8Array).toString('hex')}'::bytea`),
    text,
  )
  const back = [
    'trail_entries enable always trigger trail_entries_insert_only',
    'trail_entries enable always trigger trail_entries_no_delete',
    'trail_entries enable always trigger trail_entries_only_removed',
    'trail_sequence enable always trigger trail_sequence_insert_only',
    'trail_sequence enable always trigger trail_sequence_no_delete',
    'trail_sequence enable always trigger trail_sequence_only_removed',
    'trail_heads enable always trigger trail_heads_insert_only',
    'trail_subject_keys enable always trigger trail_subject_keys_kept',
    'trail_subject_keys enable always trigger trail_subject_keys_only_erased',
  ]
  return [
    ...tables.map((table) => `alter table ${table} disable trigger user`),
    written,
    ...back.map((one) => `alter table ${one}`),
  ].join(';\n')
}

async function bytesOf(number: number): Promise<Uint8Array> {
  const [row] = await scene.db.query<{ bytes: Uint8Array }>(
    'select e.bytes from trail_entries as e join trail_sequence as s on s.entry_id = e.id where s.number = $1',
    [number],
  )
  return row?.bytes ?? new Uint8Array()
}

const forged = async (number: number, change: { readonly [name: string]: Json }) =>
  entryBytes({ ...readEntry(await bytesOf(number)), ...change })
const entryOf = (number: number) => `(select s.entry_id from trail_sequence as s where s.number = ${number})`

test('an untouched trail is found good, and the head is told', async () => {
  const report = await verify('--head', head)
  expect(report).toMatchObject({
    ok: true,
    entries: 30,
    size: 30,
    heads_compared: 6,
    heads_given: 1,
    faults: [],
    waiting: 0,
  })
  expect(head).toBe(`30:${report.root}`)
  const { text, code } = await run('verify')
  expect(code).toBe(0)
  expect(text).toContain('Nothing was changed.')
  expect(text).toContain('Keep the head elsewhere')
})

test('an empty trail is good', async () => {
  await attack('truncate trail_entries, trail_sequence, trail_heads')
  expect(await verify()).toMatchObject({ ok: true, entries: 0 })
  expect((await verify('--head', head)).faults).toMatchObject([{ is: 'cut_off', number: 0 }])
})

test('erasing a person changes no hash', async () => {
  await scene.db.query(
    "update trail_subject_keys set sealed_key = null, erased_at = now() where data_subject = 'person:p1'",
  )
  expect(await verify('--head', head)).toMatchObject({ ok: true })
})

test('attack: a changed byte', async () => {
  const bytes = Buffer.from(await bytesOf(7))
  bytes[bytes.indexOf('k7')] = 'K'.charCodeAt(0)
  await attack(
    `alter table trail_entries alter column leaf_hash drop expression;
    update trail_entries set bytes = $1 where id = ${entryOf(7)}`,
    [bytes],
  )
  const report = await verify()
  expect(kinds(report)).toEqual(['changed 7', 'head_differs 12', 'copy_differs 7'])
  expect(report.faults[0]?.says).toBe('Entry 7 was changed: its bytes do not have the leaf hash recorded for it.')
  // The column no longer computes itself; the tests that follow need one that does.
  await scene.close()
  await makeScene()
})

test('attack: an entry rewritten with its leaf and its columns', async () => {
  const bytes = await forged(7, { outcome: 'refused' })
  await attack(
    `update trail_entries set bytes = $1, outcome = 'refused' where id = ${entryOf(7)};
    update trail_sequence set outcome = 'refused' where number = 7`,
    [bytes],
  )
  const report = await verify()
  expect(kinds(report)).toEqual(['head_differs 12'])
  expect(report.faults[0]?.says).toContain('one or more of the entries 6 to 11 was changed')
})

test('attack: an entry and every head after it rewritten; only a head kept elsewhere finds it', async () => {
  const bytes = await forged(7, { outcome: 'refused' })
  await attack(
    `update trail_entries set bytes = $1, outcome = 'refused' where id = ${entryOf(7)};
    update trail_sequence set outcome = 'refused' where number = 7;
    delete from trail_heads where size > 6`,
    [bytes],
  )
  expect(kinds(await verify())).toEqual(['uncounted 6'])
  const { peaks, size } = extendFrontier(
    emptyFrontier,
    (await readLog(scene.db)).map((entry) => entry.leafHash),
  )
  const forgedHead = [frontierRoot({ size, peaks }), Buffer.concat(peaks)]
  await attack(`insert into trail_heads values (${size}, $1, $2, 0, now())`, forgedHead)
  expect(await verify()).toMatchObject({ ok: true, heads_given: 0 })
  expect((await verify('--head', head)).faults).toMatchObject([
    { is: 'head_differs', number: 30, says: expect.stringContaining('The head you gave over 30 entries') },
  ])
})

test('attack: a column changed, so that a search would not find the entry', async () => {
  await attack(
    "update trail_sequence set actor_id = 'nobody' where number = 3; update trail_entries set act = 'key.read' where id = " +
      entryOf(4),
  )
  const report = await verify('--head', head)
  expect(kinds(report)).toEqual(['copy_differs 3', 'copy_differs 4'])
  expect(report.faults[0]?.says).toBe(
    'Entry 3: the column for actorId in trail_sequence says "nobody", the entry itself says "p1".',
  )
})

test('attack: an entry deleted, with its number or without', async () => {
  await attack(`delete from trail_entries where id = ${entryOf(9)}`)
  expect(kinds(await verify())).toContain('missing 9')
  await attack('delete from trail_sequence where number = 9')
  expect(kinds(await verify())).toEqual(['missing 9'])
})

test('attack: an entry deleted and the rest renumbered', async () => {
  await attack(`delete from trail_entries where id = ${entryOf(9)}; delete from trail_sequence where number = 9;
    update trail_sequence set number = number + 1000 where number > 9; update trail_sequence set number = number - 1001 where number > 1000`)
  expect(kinds(await verify())).toEqual(['head_differs 12', 'cut_off 29'])
})

test('attack: two entries that change places', async () => {
  await attack(
    'update trail_sequence set number = -number + 1000 where number in (4, 5); update trail_sequence set number = number - 991 where number in (995, 996)'.replace(
      '-number + 1000',
      '1000 - number',
    ),
  )
  const numbers = await scene.db.query<{ number: number }>('select s.number from trail_sequence as s order by s.number')
  expect(numbers).toHaveLength(30)
  expect(numbers.at(-1)).toEqual({ number: 29 })
  expect(kinds(await verify())).toEqual(['head_differs 6'])
})

test('attack: an entry put in, at the end and in the middle', async () => {
  const id = '0190f5a0-0000-7000-8000-00000000beef'
  const bytes = await forged(3, { id })
  const insert = `insert into trail_entries (id, tenant_id, at, act, outcome, actor_kind, actor_id, subject_kind, subject_id, bytes)
    select '${id}', e.tenant_id, e.at, e.act, e.outcome, e.actor_kind, e.actor_id, e.subject_kind, e.subject_id, $1
      from trail_entries as e where e.id = ${entryOf(3)};`
  const number = (n: number) =>
    `insert into trail_sequence select ${n}, '${id}', s.tenant_id, s.at, s.act, s.outcome, s.actor_id, s.subject_kind, s.subject_id from trail_sequence as s where s.number = 3`
  await attack(insert + number(30), [bytes])
  // At the end it looks like the newest entry: no head counts it, and the sequencer refuses to go on.
  expect(await verify()).toMatchObject({ ok: false, faults: [{ is: 'uncounted', number: 30 }] })
  await attack(`delete from trail_sequence where number = 30; update trail_sequence set number = number + 1000 where number > 3;
    update trail_sequence set number = number - 999 where number > 1000; ${number(4)}`)
  expect(kinds(await verify())).toContain('head_differs 6')
})

test('attack: the end cut off', async () => {
  await attack(
    'delete from trail_sequence where number >= 24; delete from trail_entries where id not in (select entry_id from trail_sequence)',
  )
  expect(kinds(await verify())).toEqual(['cut_off 24'])
  await attack('delete from trail_heads where size > 24')
  expect(await verify()).toMatchObject({ ok: true })
  expect(kinds(await verify('--head', head))).toEqual(['cut_off 24'])
})

test('attack: the database set back to yesterday and written on', async () => {
  await attack(
    'delete from trail_heads where size > 24; delete from trail_sequence where number >= 24; delete from trail_entries where id not in (select entry_id from trail_sequence)',
  )
  for (let i = 0; i < 10; i++) await scene.record(scene.db, keyCreated(100 + i))
  await scene.sequence()
  expect(await verify()).toMatchObject({ ok: true, entries: 34 })
  expect(kinds(await verify('--head', head))).toEqual(['head_differs 30'])
})

test('attack: a false head', async () => {
  await attack("update trail_heads set root = sha256('x') where size = 12")
  expect(kinds(await verify())).toEqual(['head_differs 12'])
})

test('attack: the triggers switched off or taken away, and not put back', async () => {
  await scene.asSuperuser(
    'alter table trail_entries disable trigger trail_entries_insert_only; drop trigger trail_heads_insert_only on trail_heads',
  )
  expect((await verify()).faults.map((fault) => fault.says)).toEqual([
    'The trigger trail_entries_insert_only, which refuses changes, is missing or switched off.',
    'The trigger trail_heads_insert_only, which refuses changes, is missing or switched off.',
  ])
  await scene.asSuperuser(
    `create trigger trail_heads_insert_only before update or delete or truncate on trail_heads
      for each statement execute function trail_refuse_change()`,
  )
})

test('an entry that has no number yet is told and is no fault', async () => {
  await scene.record(scene.db, keyCreated(30))
  expect(await verify()).toMatchObject({ ok: true, entries: 30, waiting: 1 })
})

test('a span can be verified, beginning at a recorded head', async () => {
  expect(await verify('--from', '20', '--head', head)).toMatchObject({ ok: true, entries: 12, size: 30 })
  const bytes = await forged(7, { outcome: 'refused' })
  await attack(`update trail_entries set bytes = $1 where id = ${entryOf(7)}`, [bytes])
  expect(await verify('--from', '20', '--head', head)).toMatchObject({ ok: true })
  expect(await verify('--from', '11')).toMatchObject({ ok: false })
  await attack("update trail_heads set root = sha256('x') where size = 18")
  await expect(run('verify', '--from', '20')).rejects.toThrow('contradicts itself')
})

test('an export verifies with no database, and every changed byte of it is found', async () => {
  const file = join(folder, `${tenant}.jsonl`)
  await rm(file, { force: true })
  expect((await run('export', file)).text).toBe(`30 entries were written to ${file}.\n`)
  await expect(run('export', file)).rejects.toThrow('EEXIST')
  expect(await verify('--export', file, '--head', head)).toMatchObject({ ok: true, entries: 30, heads_compared: 6 })

  const good = await readFile(file)
  expect(good.toString()).not.toContain('ada@example.com')
  const bad = join(folder, 'bad.jsonl')
  for (let i = 0; i < good.length; i += 97) {
    const changed = Buffer.from(good)
    changed[i] = (changed[i] ?? 0) ^ 1
    await writeFile(bad, changed)
    const code = await run('verify', '--export', bad, '--head', head).then(
      (done) => done.code,
      () => 2,
    )
    expect(code, `byte ${i}`).not.toBe(0)
  }
  const lines = good.toString().trimEnd().split('\n')
  for (const without of [1, 5, lines.length - 2]) {
    await writeFile(bad, `${lines.toSpliced(without, 1).join('\n')}\n`)
    expect((await verify('--export', bad, '--head', head)).ok).toBe(false)
  }
  await writeFile(bad, `${lines.slice(0, 20).join('\n')}\n`)
  expect(kinds(await verify('--export', bad, '--head', head))[0]).toContain('cut_off')
})

test('threads find the same as one', async () => {
  const entries = await readLog(scene.db)
  const bytes = await Promise.all(entries.map(async (entry) => exportLine({ is: 'entry', entry })))
  const good = openCheckPool(1 << 30)
  const alone = openCheckPool(0)
  try {
    const pieces = [0, 10, 20].map((first) =>
      Buffer.concat(bytes.slice(first, first + 10).flatMap((line) => [line, Buffer.from('\n')])),
    )
    const spoiled = Buffer.from(pieces[1] ?? [])
    spoiled[40] = 0
    const all = [...pieces, spoiled, Buffer.from('noise\n'), ...pieces]
    const together = await Promise.all(all.map((piece) => good.check(Buffer.from(piece))))
    expect(together).toEqual(await Promise.all(all.map((piece) => alone.check(piece))))
    expect(together[3]?.faults).toHaveLength(1)
  } finally {
    await good.close()
  }
})

test('what is no export, no head or no database is refused with the remedy', async () => {
  const file = join(folder, 'other.txt')
  await writeFile(file, 'hello\n')
  await expect(run('verify', '--export', file)).rejects.toThrow('is not an export of a trail')
  await writeFile(file, '')
  await expect(run('verify', '--export', file)).rejects.toThrow('is empty')
  await expect(run('verify', '--head', '12')).rejects.toThrow('the size, a colon')
  await expect(run('verify', '--from', 'x')).rejects.toThrow('a whole number from 0')
  await expect(run('verify', '--data-dir', join(folder, 'none'))).rejects.toThrow('Give --data-dir of the server')
  await expect(run('verify', '--data-dir', folder)).rejects.toThrow(/COUNTERSIGN_DATA_DIR|No server has ever/)
  await expect(run('verify', '--database', 'postgres://x:y@127.0.0.1:1/none')).rejects.toThrow(
    'The database cannot be reached',
  )
})

test('a log that was rewritten whole is found by a checkpoint kept elsewhere, and only a checkpoint of the trusted key counts', async () => {
  const { db, clock, keyring } = scene
  await cutCheckpoints({ db, clock, sealing: keyring, origin: 'countersign.example.com/trail' })()
  const { note = '' } = (await findLastCheckpoint(db)) ?? {}
  const stored = await findLogKey(db)
  if (!stored) throw new Error('no key')
  const key = verifierText({ name: stored.name, publicKey: stored.publicKey })
  const file = join(folder, 'checkpoint')
  await writeFile(file, note)
  expect((await verify('--checkpoint', file, '--key', key)).heads_given).toBe(1)

  const forged = { ...readCheckpoint(readNote(note).text), root: Buffer.alloc(32, 7) }
  const seed = Buffer.alloc(32, 9)
  const stranger = { name: stored.name, seed }
  await writeFile(file, signNote(checkpointText(forged), stranger))
  await expect(run('verify', '--checkpoint', file, '--key', key)).rejects.toThrow('cannot be trusted')
  await expect(run('verify', '--checkpoint', file)).rejects.toThrow('without a key you trust')
  const report = await verify('--checkpoint', file, '--key', verifierText(verifierOf(stranger)))
  expect(report.ok).toBe(false)
  expect(report.faults[0]?.says).toContain('The checkpoint of countersign.example.com/trail')
})
