import { Command } from 'commander'
import { listAnchors, writeAnchors } from '../../../server/src/features/anchors/index.ts'
import { findLastCheckpoint, logSigner } from '../../../server/src/features/trail/index.ts'
import { type DatabaseOptions, type Surroundings, usingDatabase, withDatabase } from '../database-options.ts'
import { databaseClock, sealKeys } from '../tenants/open-installation.ts'
import { anchorPlace, openStore } from './anchor-store.ts'
import { type AnchorOptions, anchorText, readAnchors } from './read-anchors.ts'
import { reportText } from './report.ts'
import { readTrailDatabase } from './trail-database.ts'
import { verifyExport } from './trail-export.ts'

type Shell = Pick<Surroundings, 'env' | 'print' | 'fail'>

const verifyHelp = `
What is checked
  Of the anchors: each bears both signatures of the log's key, lies where its time says, names the one before and its
  hash; none is missing; nobody wrote over, hid or added one; the bucket has none the database does not know.
  Of the log: it is recomputed from its bytes and compared with every anchored checkpoint, so that a cut-off end, a fork
  and a restored backup are found whatever somebody with full rights over the database did.

Exit code
  0 nothing was changed · 1 something was changed (it says what and where) · 2 it could not be checked

Examples
  countersign trail anchors verify --key "$(cat key-of-the-log)"
  countersign trail anchors verify --folder ./downloaded --export trail.jsonl --key "$(cat key-of-the-log)"   offline`

const anchorHelp = `
The server writes one by itself every hour unless it is told otherwise. This is for a moment that must not wait: before an
upgrade, after an incident.

Exit code
  0 written, or there is nothing new · 1 it could not be written · 2 the database or the bucket could not be used

Example
  countersign trail anchor`

const listHelp = `
Exit code
  0 listed · 2 the database could not be read

Examples
  countersign trail anchors list --limit 5
  countersign trail anchors list --json`

/** `trail anchor`: one now. */
export function anchorCommand({ env, print, fail }: Shell): Command {
  return withDatabase(new Command('anchor'))
    .alias('write-anchor')
    .description('Write the newest signed checkpoint into the bucket with Object Lock, now')
    .addHelpText('after', anchorHelp)
    .action(async (options: DatabaseOptions) => {
      const outcome = await usingDatabase(options, env, async ({ db, folder }) => {
        const place = anchorPlace(env)
        const [clock, sealing, store] = [
          await databaseClock(db),
          await sealKeys(folder, env),
          openStore(env, place.bucket),
        ]
        const quiet = (): void => undefined
        const log = { info: quiet, warn: quiet, error: quiet }
        const trail = { findLastCheckpoint, signer: logSigner(sealing) }
        try {
          const needs = { db, clock, log, store, place: { ...place, intervalMinutes: 60 }, trail }
          return await writeAnchors(needs).writeNow()
        } finally {
          store.close()
        }
      })
      switch (outcome.is) {
        case 'written':
          print(
            `Anchor ${outcome.anchor.sequence} over ${outcome.anchor.size} entries was written as ${outcome.anchor.key}.\n`,
          )
          return
        case 'nothing_new':
          print('There is nothing new since the last anchor.\n')
          return
        case 'failed':
          print(`It could not be written: ${outcome.fault.message}\n`)
          fail()
          return
        default:
          print('The server is writing one at this moment.\n')
      }
    })
}

/** `trail anchors list|verify`. */
export function anchorsCommand({ env, print, fail }: Shell): Command {
  const anchors = new Command('anchors').description('Anchors of the record: list them, verify them').exitOverride()
  withDatabase(anchors.command('list'))
    .description('List the newest anchors this database knows')
    .option('--limit <count>', 'how many', '20')
    .option('--json', 'print a JSON array')
    .addHelpText('after', listHelp)
    .action(async (options: DatabaseOptions & { readonly limit: string; readonly json?: boolean }) => {
      const limit = /^[1-9]\d{0,5}$/.test(options.limit) ? Number(options.limit) : 20
      const rows = await usingDatabase(options, env, ({ db }) => listAnchors(db, anchorPlace(env), undefined, limit))
      const shown = rows.map((row) => ({
        sequence: row.sequence,
        size: row.size,
        made_at: row.madeAt.toISOString(),
        written_at: row.writtenAt?.toISOString() ?? null,
        locked_until: row.lockedUntil?.toISOString() ?? null,
        key: row.key,
        sha256: row.sha256.toString('hex'),
        error: row.lastError,
      }))
      if (options.json) print(`${JSON.stringify(shown)}\n`)
      else if (shown.length === 0) print('Nothing was anchored in this bucket under this name.\n')
      else
        for (const one of shown)
          print(`${one.sequence}  ${one.size} entries  ${one.made_at}  ${one.key}  ${one.error ?? 'written'}\n`)
    })
  withDatabase(anchors.command('verify'))
    .description('Check every anchor, and the record against them')
    .option('--folder <folder>', 'downloaded anchors instead of the bucket')
    .option('--export <file>', 'check this export against them instead of a database')
    .option('--key <text>', 'the key of the log, as /trail/key showed it when you first trusted it')
    .option('--json', 'print one JSON object')
    .addHelpText('after', verifyHelp)
    .action(async (options: AnchorOptions & { readonly json?: boolean }) => {
      const { report: chain, heads } = await readAnchors(options, env)
      const log = options.export
        ? await verifyExport(options.export, heads)
        : await usingDatabase(options, env, ({ db }) => readTrailDatabase(db, { heads, from: 0 }))
      print(
        options.json
          ? `${JSON.stringify({ ok: chain.ok && log.ok, anchors: chain, log })}\n`
          : `${anchorText(chain)}${reportText(log)}`,
      )
      if (!chain.ok || !log.ok) fail()
    })
  return anchors
}
