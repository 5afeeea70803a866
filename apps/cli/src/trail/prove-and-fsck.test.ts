import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifierOf, verifierText } from '@countersign/trail'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cutCheckpoints, entryMacs, findLogKey, recordAct } from '../../../server/src/features/trail/index.ts'
import { Secret } from '../../../server/src/kernel/crypto.ts'
import { idMaker } from '../../../server/src/kernel/ids.ts'
import { testServer } from '../../../server/test/server.ts'
import { keyCreated, openTrail, type TrailScene } from '../../../server/test/trail-scene.ts'
import type { Report } from './report.ts'
import { trailCommand } from './trail-command.ts'

let scene: TrailScene
let folder: string
let key: string
const origin = 'countersign.example.com/trail'
const older = new Secret('the secret of last year')
const current = new Secret('the secret of this year')

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  let text = ''
  let code = 0
  const command = trailCommand({
    env: { COUNTERSIGN_DATABASE_URL: scene.database.url, ...env },
    print: (more) => void (text += more),
    fail: () => void (code = 1),
  })
  for (const one of [command, ...command.commands])
    one.configureOutput({ writeErr: () => undefined, writeOut: (more) => void (text += more) })
  await command.parseAsync([...args], { from: 'user' })
  return { text, code }
}

async function report(...args: readonly string[]): Promise<Report> {
  const { text, code } = await run([...args, '--json'])
  const read: Report = JSON.parse(text)
  expect(code).toBe(read.ok ? 0 : 1)
  return read
}

const file = (name: string) => join(folder, name)
const kinds = (found: Report) => found.faults.map((fault) => `${fault.is} ${fault.number}`)

/** 600 entries in six batches, each signed; the first two batches without MAC, then an older secret, then today's. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-prove-'))
  scene = await openTrail()
  const { db, clock, keyring, sequence } = scene
  const cut = cutCheckpoints({ db, clock, sealing: keyring, origin })
  const newId = idMaker(clock.now)
  for (let batch = 0; batch < 6; batch++) {
    const secret = [undefined, undefined, older, older, current, current][batch]
    const record = recordAct({ clock, newId, keyring, macOf: entryMacs(secret, []).macOf })
    const act = (i: number) => ({ ...keyCreated(batch * 100 + i), personal: { actor: { email: 'ada@example.com' } } })
    for (let i = 0; i < 100; i++) await record(db, { ...act(i), request: { id: `request-${i}` } })
    await sequence()
    await cut()
    const [last] = await db.query<{ note: string }>(
      'select c.note from trail_checkpoints as c order by c.size desc limit 1',
    )
    await writeFile(file(`checkpoint-${batch}`), last?.note ?? '')
  }
  const stored = await findLogKey(db)
  if (!stored) throw new Error('no key')
  key = verifierText(stored)
  await writeFile(file('secrets'), `${current.reveal()}\n${older.reveal()}\n`)
})

afterAll(async () => {
  await scene.close()
  await rm(folder, { recursive: true })
})

test('a proof of one entry, by number or id, is checked with no database, and shows the entry', async () => {
  const path = file('411.tlog-proof')
  expect((await run(['prove', '411', '--out', path])).text).toBe(`The proof was written to ${path}.\n`)
  await expect(run(['prove', '411', '--out', path])).rejects.toThrow('EEXIST')
  const away = { COUNTERSIGN_DATABASE_URL: 'postgres://x:y@127.0.0.1:1/none' }
  const { text, code } = await run(['verify', path, '--key', key], away)
  expect(code).toBe(0)
  expect(text).toContain(`Entry 411 is in the log ${origin}, as it stands here, under its checkpoint over 600 entries.`)
  expect(text).toContain('"id": "k411"')
  const json: { ok: boolean; entry: { id: string } } = JSON.parse(
    (await run(['verify', path, '--key', key, '--json'], away)).text,
  )
  expect((await run(['prove', json.entry.id])).text).toBe(await readFile(path, 'utf8'))
})

test('a proof that was changed is found false, and without a key nothing is believed', async () => {
  const { text } = await run(['prove', '12'])
  const path = file('12.tlog-proof')
  await writeFile(path, text.replace('index 12', 'index 13'))
  const found = await run(['verify', path, '--key', key])
  expect(found.code).toBe(1)
  expect(found.text).toContain('Entry 13 as it stands in the proof is not in the log of 600 entries')
  await expect(run(['verify', path])).rejects.toThrow('without a key you trust')
  const stranger = verifierText(verifierOf({ name: origin, seed: Buffer.alloc(32, 3) }))
  expect((await run(['verify', path, '--key', stranger])).text).toContain('cannot be trusted')
  await expect(run(['verify', path, '--key', 'nonsense'])).rejects.toThrow('--key cannot be read')
  await expect(run(['prove', '600'])).rejects.toThrow('There is no such entry')
  await expect(run(['prove'])).rejects.toThrow('Say what to prove')
  await expect(run(['prove', 'k1'])).rejects.toThrow('a whole number from 0')
})

test('that the log only grew is proven against an older checkpoint, and a forked one is refused', async () => {
  const path = file('grown.json')
  await run(['prove', '--since', file('checkpoint-1'), '--out', path])
  const { text, code } = await run(['verify', path, '--key', key])
  expect(code).toBe(0)
  expect(text).toContain(`The log ${origin} with 600 entries begins with the 200 that were signed before, unchanged.`)
  const note = await readFile(file('checkpoint-1'), 'utf8')
  const lines = note.split('\n')
  await writeFile(file('forged'), note.replace(lines[2] ?? '', Buffer.alloc(32, 1).toString('base64')))
  await expect(run(['prove', '--since', file('forged')])).rejects.toThrow('It was forked or rewritten')
})

test('every checkpoint ever signed, and every keyed MAC of before and after a rotation, is found good', async () => {
  const checkpoints = [0, 1, 2, 3, 4, 5].flatMap((batch) => ['--checkpoint', file(`checkpoint-${batch}`)])
  const found = await report('verify', '--key', key, ...checkpoints, '--mac-secret-file', file('secrets'))
  expect(found).toMatchObject({ ok: true, heads_given: 6, macs: { good: 400, wrong: 0, unknown_key: 0, missing: 200 } })
  await writeFile(file('one-secret'), `${current.reveal()}\n`)
  expect(await report('verify', '--mac-secret-file', file('one-secret'))).toMatchObject({
    ok: false,
    fault_count: 200,
    macs: { good: 200, unknown_key: 200 },
  })
  await writeFile(file('none'), '')
  await expect(run(['verify', '--mac-secret-file', file('none')])).rejects.toThrow('is empty')
})

test('a range is exported and verified by itself, its checkpoint and MACs too', async () => {
  const path = file('range.jsonl')
  await run(['export', path, '--from', '250', '--to', '350'])
  const options = ['--key', key, '--mac-secret-file', file('secrets')]
  expect(await report('verify', path, ...options)).toMatchObject({
    ok: true,
    entries: 200,
    size: 400,
    heads_given: 1,
    macs: { good: 200 },
  })
  expect(await report('verify', '--from', '250', '--to', '350')).toMatchObject({ ok: true, entries: 200, size: 400 })
  await expect(run(['verify', '--from', '5', '--to', '5'])).rejects.toThrow('--to must be beyond --from')

  const lines = (await readFile(path, 'utf8')).split('\n')
  const changed = lines.map((line) => line.replace(/"mac":"../, '"mac":"00'))
  await writeFile(file('macs-changed.jsonl'), changed.join('\n'))
  expect(kinds(await report('verify', file('macs-changed.jsonl'), ...options))[0]).toBe('mac_wrong 200')
  const without = lines.map((line, i) =>
    i === 7 ? line.replace(/"mac":"[0-9a-f]+","mac_key":"[0-9a-f]+",/, '') : line,
  )
  await writeFile(file('macs-missing.jsonl'), without.join('\n'))
  expect(kinds(await report('verify', file('macs-missing.jsonl'), ...options))).toEqual(['mac_missing 206'])
  const note = lines.find((line) => line.startsWith('{"checkpoint"')) ?? ''
  await writeFile(
    file('unsigned.jsonl'),
    lines.map((line) => (line === note ? note.replace('— c', '— d') : line)).join('\n'),
  )
  expect((await report('verify', file('unsigned.jsonl'), ...options)).faults[0]?.says).toContain(
    'The checkpoint in it cannot be trusted',
  )
})

test('fsck finds an untouched trail whole', async () => {
  const found = await report('fsck', '--mac-secret-file', file('secrets'))
  expect(found).toMatchObject({ ok: true, entries: 600, heads_compared: 12, faults: [] })
})

const damage: readonly (readonly [string, string, string])[] = [
  ['a tile with another root', `update trail_tile_roots set root = sha256('x') where index = 1`, 'tile_differs 256'],
  ['a tile that is missing', 'delete from trail_tile_roots where index = 0', 'tile_differs 0'],
  ['a tile too many', `insert into trail_tile_roots values (0, 2, sha256('x'))`, 'tile_differs 512'],
  [
    'a checkpoint that nobody signed',
    `update trail_checkpoints set note = replace(note, 'AA', 'BB') || '' where size = 300;
    update trail_checkpoints set note = replace(note, E'\\n300\\n', E'\\n299\\n') where size = 300`,
    'checkpoint_differs 300',
  ],
  [
    'a checkpoint put in the place of another',
    'update trail_checkpoints set note = (select c.note from trail_checkpoints as c where c.size = 100) where size = 200',
    'checkpoint_differs 200',
  ],
  ['a key that was swapped', `update trail_log_keys set public_key = sha256('x')`, 'checkpoint_differs 100'],
  [
    'a second key',
    `insert into trail_log_keys select 'x', public_key, sealed_seed, made_at from trail_log_keys`,
    'checkpoint_differs null',
  ],
  [
    'an entry whose number was taken away',
    'delete from trail_sequence where number = 599; update trail_heads set floor = 600 where size = 600',
    'lost null',
  ],
  ['a person’s key that was deleted instead of erased', 'delete from trail_subject_keys', 'orphan 0'],
]

test.each(damage)('fsck finds %s', async (_what, text, kind) => {
  const tables = [
    'trail_sequence',
    'trail_heads',
    'trail_subject_keys',
    'trail_log_keys',
    'trail_checkpoints',
    'trail_tile_roots',
  ]
  const guard = (word: string) => tables.map((table) => `alter table ${table} ${word}`).join(';')
  await scene.asSuperuser(
    [
      ...tables.map((table) => `create table kept_${table} as table ${table}`),
      guard('disable trigger user'),
      text,
      guard('enable always trigger all'),
    ]
      .join(';')
      .replaceAll('enable always trigger all', 'enable trigger user'),
  )
  try {
    expect(kinds(await report('fsck')).filter((one) => !one.startsWith('unguarded'))).toContain(kind)
  } finally {
    const back = tables.map(
      (table) => `truncate ${table}; insert into ${table} table kept_${table}; drop table kept_${table}`,
    )
    const always = `do $$ declare t record; begin for t in select tgname, tgrelid::regclass as r from pg_trigger where tgname like 'trail%' and not tgisinternal
      loop execute format('alter table %s enable always trigger %I', t.r, t.tgname); end loop; end $$`
    await scene.asSuperuser([guard('disable trigger user'), ...back, always].join(';'))
  }
})

test('a log is verified over the network, trusting the key alone', async () => {
  const server = await testServer({ databaseUrl: scene.database.url })
  try {
    const options = ['verify', '--server', server.url, '--key', key, '--json']
    const checkpoints = ['--checkpoint', file('checkpoint-2')]
    await expect(run(['verify', '--server', server.url])).rejects.toThrow('a server can show any log')
    const found: Report = JSON.parse((await run([...options, ...checkpoints])).text)
    expect(found).toMatchObject({ ok: true, hidden: found.entries, heads_given: 2 })
    expect(found.entries).toBeGreaterThanOrEqual(600)
    await expect(run(options, { COUNTERSIGN_TOKEN: 'rgw_nonsense' })).rejects.toThrow('answered 401')
  } finally {
    await server.stop()
  }
})
