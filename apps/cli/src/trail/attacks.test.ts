import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  checkpointText,
  continuationText,
  emptyFrontier,
  entryBytes,
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
import {
  cutCheckpoints,
  entryMacs,
  findLogKey,
  makeSequencer,
  recordAct,
} from '../../../server/src/features/trail/index.ts'
import { Secret } from '../../../server/src/kernel/crypto.ts'
import { idMaker } from '../../../server/src/kernel/ids.ts'
import { findPython } from '../../../server/test/python.ts'
import { keyCreated, openTrail, readLog, type TrailScene } from '../../../server/test/trail-scene.ts'
import { trailCommand } from './trail-command.ts'

// The attacker has every right there is over the database, and even signs with the log's own key. What finds the attack
// is one checkpoint that was kept elsewhere, and each attack must be found twice: by the command and by docs/verify.

const origin = 'countersign.example.com/trail'
const python = findPython()
const verifyPy = join(import.meta.dirname, '../../../../docs/verify/verify.py')
const tables = [
  'trail_entries',
  'trail_sequence',
  'trail_heads',
  'trail_log_keys',
  'trail_checkpoints',
  'trail_tile_roots',
  'trail_subject_keys',
] as const

let scene: TrailScene
let folder: string
let key: string
const kept = () => join(folder, 'kept-checkpoint')
const earlier = () => join(folder, 'earlier-checkpoint')

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-attacks-'))
  scene = await openTrail()
  const { db, clock, keyring } = scene
  const { macOf } = entryMacs(new Secret('the secret of the MAC'), [])
  const record = recordAct({ clock, newId: idMaker(clock.now), keyring, macOf })
  for (let i = 0; i < 30; i++) {
    await record(db, { ...keyCreated(i), personal: { actor: { email: 'ada@example.com' } } })
    if (i % 6 === 5) await numberAndSign()
    if (i === 17) await writeFile(earlier(), await newestNote())
  }
  await writeFile(kept(), await newestNote())
  await writeFile(join(folder, 'mac-secret'), 'the secret of the MAC\n')
  const stored = await findLogKey(db)
  if (!stored) throw new Error('no key')
  key = verifierText(stored)
  const copies = tables.map((table) => `create table kept.${table} as table ${table}`)
  await scene.asSuperuser(['create schema kept', ...copies].join(';'))
})

afterAll(async () => {
  await scene.close()
  await rm(folder, { recursive: true })
})

beforeEach(async () => {
  const columns =
    'id, arrival, tenant_id, at, act, outcome, actor_kind, actor_id, subject_kind, subject_id, bytes, mac, mac_key'
  const back = tables.map((table) =>
    table === 'trail_entries'
      ? `truncate ${table}; insert into ${table} (${columns}) select ${columns} from kept.${table}`
      : `truncate ${table}; insert into ${table} table kept.${table}`,
  )
  await attack(back.join(';'))
})

async function numberAndSign(): Promise<void> {
  const { db, clock, keyring } = scene
  await makeSequencer({ db, clock })()
  await cutCheckpoints({ db, clock, sealing: keyring, origin })()
}

async function newestNote(): Promise<string> {
  const [row] = await scene.db.query<{ note: string }>(
    'select c.note from trail_checkpoints as c order by c.size desc limit 1',
  )
  return row?.note ?? ''
}

/** With every right, leaving no trigger behind that would tell. */
async function attack(text: string): Promise<void> {
  const off = tables.map((table) => `alter table ${table} disable trigger user`)
  const on = `do $$ declare t record; begin for t in select tgname, tgrelid::regclass as r from pg_trigger where tgname like 'trail%' and not tgisinternal
    loop execute format('alter table %s enable always trigger %I', t.r, t.tgname); end loop; end $$`
  await scene.asSuperuser([...off, text, on].join(';\n'))
}

/** Makes everything that is computed from entries fit them again, and signs it with the log's own key. */
async function coverUp(): Promise<void> {
  await attack('delete from trail_heads; delete from trail_checkpoints; delete from trail_tile_roots')
  const { peaks, size } = extendFrontier(
    emptyFrontier,
    (await readLog(scene.db)).map(({ leafHash }) => leafHash),
  )
  const root = hex(frontierRoot({ size, peaks }))
  await attack(`insert into trail_heads values (${size}, ${root}, ${hex(Buffer.concat(peaks))}, 1000, now())`)
  const { db, clock, keyring } = scene
  await cutCheckpoints({ db, clock, sealing: keyring, origin })()
}

const hex = (bytes: Uint8Array) => `'\\x${Buffer.from(bytes).toString('hex')}'::bytea`
const entryOf = (number: number) => `(select s.entry_id from trail_sequence as s where s.number = ${number})`

async function forged(number: number, change: { readonly [name: string]: Json }): Promise<string> {
  const bytes = (await readLog(scene.db))[number]?.bytes ?? new Uint8Array()
  return hex(entryBytes({ ...readEntry(bytes), ...change }))
}

async function run(...args: readonly string[]): Promise<{ readonly text: string; readonly code: number }> {
  let text = ''
  let code = 0
  const command = trailCommand({
    env: { COUNTERSIGN_DATABASE_URL: scene.database.url },
    print: (more) => void (text += more),
    fail: () => void (code = 1),
  })
  await command.parseAsync([...args], { from: 'user' })
  return { text, code }
}

function runPython(...args: readonly string[]): { readonly text: string; readonly code: number | null } {
  const { stdout, stderr, status } = spawnSync(python ?? 'python3', ['-B', verifyPy, ...args], { encoding: 'utf8' })
  return { text: stdout + stderr, code: status }
}

async function exported(name: string): Promise<string> {
  const path = join(folder, `${name}.jsonl`)
  await rm(path, { force: true })
  await run('export', path)
  return path
}

/** By the command: over the database, and over what it exports; by the verifier in Python: over the same export. */
async function expectFound(name: string, says: string, more: readonly string[] = []): Promise<void> {
  const trusted = ['--key', key, '--checkpoint', kept(), ...more]
  const online = await run('verify', ...trusted)
  expect(online.text).toContain(says)
  expect(online.code).toBe(1)
  await expectFoundInExport(await exported(name), says, trusted)
}

async function expectFoundInExport(path: string, says: string, trusted: readonly string[]): Promise<void> {
  const offline = await run('verify', path, ...trusted)
  expect(offline.text).toContain(says)
  expect(offline.code).toBe(1)
  if (!python) return
  const second = runPython(path, ...trusted)
  expect(second.text).toContain(says)
  expect(second.code).toBe(1)
}

test.skipIf(!python)('an untouched trail is found good by both verifiers, which agree on its root', async () => {
  const path = await exported('good')
  const trusted = [
    '--key',
    key,
    '--checkpoint',
    kept(),
    '--checkpoint',
    earlier(),
    '--mac-secret-file',
    join(folder, 'mac-secret'),
  ]
  const ours = JSON.parse((await run('verify', path, ...trusted, '--json')).text) as object
  const { text, code } = runPython(path, ...trusted, '--json')
  expect(code).toBe(0)
  const same = ['ok', 'entries', 'hidden', 'size', 'root', 'heads_compared', 'macs', 'fault_count']
  const pick = (report: object) => Object.fromEntries(Object.entries(report).filter(([name]) => same.includes(name)))
  expect(pick(JSON.parse(text) as object)).toEqual(pick(ours))
  expect(pick(ours)).toMatchObject({ ok: true, entries: 30, macs: { good: 30 } })
})

test('attack: an entry changed', async () => {
  await attack(`update trail_entries set bytes = ${await forged(7, { outcome: 'refused' })}, outcome = 'refused' where id = ${entryOf(7)};
    update trail_sequence set outcome = 'refused' where number = 7`)
  await expectFound('changed', 'entries 6 to 11 was changed')
  await coverUp()
  await expectFound('changed-covered', `The checkpoint of ${origin} over 30 entries differs`)
})

test('attack: an entry changed, by one who does not know the secret of the MAC', async () => {
  await attack(`update trail_entries set bytes = ${await forged(7, { outcome: 'refused' })}, outcome = 'refused' where id = ${entryOf(7)};
    update trail_sequence set outcome = 'refused' where number = 7`)
  const secret = ['--mac-secret-file', join(folder, 'mac-secret')]
  await expectFound('mac', 'Entry 7 does not have the MAC of its bytes', secret)
  await attack(`update trail_entries set mac = null, mac_key = null where id = ${entryOf(7)}`)
  await expectFound('mac-gone', 'Entry 7 has no MAC although earlier ones have', secret)
  await attack(`update trail_entries set mac = sha256('x'), mac_key = '0123456789abcdef' where id = ${entryOf(7)}`)
  await expectFound('mac-renamed', 'Entry 7 has a MAC made with a secret that was not given', secret)
})

test('attack: an entry deleted', async () => {
  await attack(`delete from trail_entries where id = ${entryOf(9)}; delete from trail_sequence where number = 9`)
  await expectFound('deleted', 'Entry 9 is missing')
})

test('attack: an entry deleted, the rest renumbered and signed anew', async () => {
  await attack(`delete from trail_entries where id = ${entryOf(9)}; delete from trail_sequence where number = 9;
    update trail_sequence set number = number + 1000 where number > 9; update trail_sequence set number = number - 1001 where number > 1000`)
  await coverUp()
  await expectFound(
    'renumbered',
    `The checkpoint of ${origin} counts 30 entries; only 29 are here: the end was cut off`,
  )
})

test('attack: two entries that change places', async () => {
  await attack(
    'update trail_sequence set number = 1000 - number where number in (4, 5); update trail_sequence set number = number - 991 where number in (995, 996)',
  )
  await expectFound('reordered', 'entries 0 to 5 was changed, put in, left out or moved')
  await coverUp()
  await expectFound('reordered-covered', `The checkpoint of ${origin} over 30 entries differs`)
})

test('attack: an entry put in', async () => {
  const id = '0190f5a0-0000-7000-8000-00000000beef'
  await attack(`insert into trail_entries (id, tenant_id, at, act, outcome, actor_kind, actor_id, subject_kind, subject_id, bytes)
      select '${id}', e.tenant_id, e.at, e.act, e.outcome, e.actor_kind, e.actor_id, e.subject_kind, e.subject_id, ${await forged(3, { id })}
        from trail_entries as e where e.id = ${entryOf(3)};
    update trail_sequence set number = number + 1000 where number > 3; update trail_sequence set number = number - 999 where number > 1000;
    insert into trail_sequence select 4, '${id}', s.tenant_id, s.at, s.act, s.outcome, s.actor_id, s.subject_kind, s.subject_id
      from trail_sequence as s where s.number = 3`)
  await expectFound('put-in', 'The head')
  await coverUp()
  await expectFound('put-in-covered', `The checkpoint of ${origin} over 30 entries differs`)
})

test('attack: the end cut off, with every head and checkpoint that counted it', async () => {
  await attack(`delete from trail_sequence where number >= 24; delete from trail_entries where id not in (select entry_id from trail_sequence);
    delete from trail_heads where size > 24; delete from trail_checkpoints where size > 24`)
  await expectFound('cut-off', `The checkpoint of ${origin} counts 30 entries; only 24 are here: the end was cut off`)
})

test('attack: a fork, another history signed from the same beginning', async () => {
  await attack(`delete from trail_sequence where number >= 18; delete from trail_entries where id not in (select entry_id from trail_sequence);
    delete from trail_heads where size > 18; delete from trail_checkpoints where size > 18`)
  for (let i = 0; i < 12; i++) await scene.record(scene.db, keyCreated(200 + i))
  await numberAndSign()
  await expectFound('fork', `The checkpoint of ${origin} over 30 entries differs`)
  await expect(run('prove', '--since', kept())).rejects.toThrow('It was forked or rewritten')

  // Two checkpoints of one size and a proof that would fit, were they of one log.
  const path = join(folder, 'forked.json')
  await writeFile(
    path,
    continuationText({ older: await readFile(kept(), 'utf8'), newer: await newestNote(), hashes: [] }),
  )
  await expectFoundInExport(path, 'it was forked', ['--key', key])
})

test('attack: the database set back to yesterday’s dump and written on', async () => {
  await attack(`delete from trail_sequence where number >= 24; delete from trail_entries where id not in (select entry_id from trail_sequence);
    delete from trail_heads where size > 24; delete from trail_checkpoints where size > 24`)
  for (let i = 0; i < 10; i++) await scene.record(scene.db, keyCreated(100 + i))
  await numberAndSign()
  await expectFound('rolled-back', `The checkpoint of ${origin} over 30 entries differs`)
})

test('attack: an old checkpoint replayed, with the log cut to fit it', async () => {
  await attack(`delete from trail_sequence where number >= 18; delete from trail_entries where id not in (select entry_id from trail_sequence);
    delete from trail_heads where size > 18; delete from trail_checkpoints where size > 18`)
  expect(await newestNote()).toBe(await readFile(earlier(), 'utf8'))
  await expectFound('replayed', `The checkpoint of ${origin} counts 30 entries; only 18 are here: the end was cut off`)
  const path = join(folder, 'replayed.json')
  const note = await newestNote()
  await writeFile(path, continuationText({ older: note, newer: note, hashes: [] }))
  await expectFoundInExport(path, 'replayed', ['--key', key, '--checkpoint', kept()])
})

test('attack: the key swapped and every checkpoint signed with another', async () => {
  const stranger = { name: origin, seed: Buffer.alloc(32, 9) }
  const { publicKey } = verifierOf(stranger)
  const { size, root } = readCheckpoint(readNote(await newestNote()).text)
  const note = signNote(checkpointText({ origin, size, root, extensions: [] }), stranger)
  await attack(`delete from trail_checkpoints; update trail_log_keys set public_key = ${hex(publicKey)};
    insert into trail_checkpoints values (${size}, '${note}', now())`)
  await expectFoundInExport(await exported('swapped'), `cannot be trusted`, ['--key', key])

  const swapped = join(folder, 'swapped-checkpoint')
  await writeFile(swapped, note)
  await expect(run('verify', '--key', key, '--checkpoint', swapped)).rejects.toThrow('cannot be trusted')
  const proof = join(folder, 'swapped.tlog-proof')
  await rm(proof, { force: true })
  await run('prove', '3', '--out', proof)
  await expectFoundInExport(proof, 'bears no signature of', ['--key', key])
  if (python) expect(runPython(proof, '--key', key, '--checkpoint', swapped).code).toBe(2)
})

test.skipIf(!python)('every changed byte of an export and of a proof is found by both verifiers alike', async () => {
  const path = await exported('bytes')
  const good = await readFile(path)
  const proof = join(folder, 'bytes.tlog-proof')
  await rm(proof, { force: true })
  await run('prove', '12', '--out', proof)
  expect(runPython(proof, '--key', key).code).toBe(0)
  const bad = join(folder, 'bad')
  const trusted = ['--key', key, '--checkpoint', kept(), '--mac-secret-file', join(folder, 'mac-secret')]
  for (const [whole, step] of [
    [good, Math.floor(good.length / 23)],
    [await readFile(proof), 101],
  ] as const) {
    for (let i = 3; i < whole.length; i += step) {
      const changed = Buffer.from(whole)
      changed[i] = (changed[i] ?? 0) ^ 1
      await writeFile(bad, changed)
      const ours = await run('verify', bad, ...trusted).then(
        ({ code }) => code,
        () => 2,
      )
      const theirs = runPython(bad, ...trusted).code
      expect([ours === 0, theirs === 0], `byte ${i}`).toEqual([false, false])
    }
  }
})
