import { readFile } from 'node:fs/promises'
import { NotANote, openNote, type RecordedHead, readCheckpoint, readVerifier } from '@countersign/trail'
import { Command, InvalidArgumentError } from 'commander'
import { type DatabaseOptions, type Surroundings, usingDatabase, withDatabase } from '../database-options.ts'
import { exportTrail } from './export-trail.ts'
import { headText, readHeadText } from './head-text.ts'
import { reportText } from './report.ts'
import { readLastHead, readTrailDatabase } from './trail-database.ts'
import { verifyExport } from './trail-export.ts'

type VerifyOptions = DatabaseOptions & {
  readonly export?: string
  readonly head?: readonly RecordedHead[]
  readonly checkpoint?: string
  readonly key?: string
  readonly from?: number
  readonly json?: boolean
}

const verifyHelp = `
What is checked
  Every entry's bytes are hashed again and compared with its leaf; the leaves are built into the tree again and
  compared with every head the server recorded; numbers must run from 0 without gap or repetition; every column the
  server searches by must say what the entry says; the triggers that refuse changes must be in place.

What that proves
  Somebody with full rights over the database can change an entry and everything computed from it. That is found only
  against a head kept elsewhere. Write one down from time to time, and give it here:
    countersign trail head > head-of-today
    countersign trail verify --head "$(cat head-of-today)"
  A signed checkpoint serves as well, and shows whoever doubts you that this server said so:
    curl -o checkpoint https://countersign.example.com/trail/checkpoint
    countersign trail verify --checkpoint checkpoint --key "$(cat key-of-the-log)"

Exit code
  0 nothing was changed · 1 something was changed (it says what and where) · 2 it could not be checked

Examples
  countersign trail verify                            the server of this folder, or of COUNTERSIGN_DATABASE_URL
  countersign trail verify --export trail.jsonl       an export, with no database and no network
  countersign trail verify --from 100000 --json       from that entry on, for a program`

const exportHelp = `
An export is JSON Lines: entries in order with their leaf hashes, and the heads between them. "countersign trail verify
--export" checks one with no database and no network. Personal facts in it stay sealed.

Example
  countersign trail export trail.jsonl`

export function trailCommand({ env, print, fail }: Pick<Surroundings, 'env' | 'print' | 'fail'>): Command {
  const trail = new Command('trail').description('The record of what was witnessed: check it, export it').exitOverride()
  withDatabase(trail.command('verify'))
    .description('Recompute the whole record and say what was changed, and where')
    .option('--export <file>', 'check this export instead of a database')
    .option(
      '--head <size:root>',
      'a head kept elsewhere, as "trail head" printed it; may be given several times',
      addHead,
    )
    .option('--checkpoint <file>', 'a signed checkpoint kept elsewhere; needs --key')
    .option('--key <text>', 'the key that signed it, as /trail/key showed it when you first trusted this log')
    .option(
      '--from <number>',
      'begin at the recorded head at or before this entry, and trust what came before',
      readNumber,
    )
    .option('--json', 'print one JSON object')
    .addHelpText('after', verifyHelp)
    .action(async (options: VerifyOptions) => {
      const heads = [...(options.head ?? []), ...(await readGivenCheckpoint(options))]
      const report = options.export
        ? await verifyExport(options.export, heads)
        : await usingDatabase(options, env, ({ db }) => readTrailDatabase(db, { heads, from: options.from ?? 0 }))
      print(options.json ? `${JSON.stringify(report)}\n` : reportText(report))
      if (!report.ok) fail()
    })
  withDatabase(trail.command('head'))
    .description('Print the head of the log, to be kept elsewhere')
    .action(async (options: DatabaseOptions) => {
      print(`${headText(await usingDatabase(options, env, ({ db }) => readLastHead(db)))}\n`)
    })
  withDatabase(trail.command('export'))
    .description('Write the record into a file that anybody can verify')
    .argument('<file>', 'where to; must not exist yet')
    .addHelpText('after', exportHelp)
    .action(async (file: string, options: DatabaseOptions) => {
      const count = await usingDatabase(options, env, ({ db }) => exportTrail(db, file))
      print(`${count} entries were written to ${file}.\n`)
    })
  return trail
}

/** The head a checkpoint tells, once its signature was found to be the key's. */
async function readGivenCheckpoint({ checkpoint, key }: VerifyOptions): Promise<readonly RecordedHead[]> {
  if (checkpoint === undefined && key === undefined) return []
  if (checkpoint === undefined || key === undefined) {
    throw new Error('Give --checkpoint and --key together: without a key you trust, a checkpoint proves nothing.')
  }
  try {
    const { origin, size, root } = readCheckpoint(
      openNote(await readFile(checkpoint, 'utf8'), readVerifier(key.trim())),
    )
    return [{ size, root, by: `The checkpoint of ${origin}` }]
  } catch (cause) {
    if (cause instanceof NotANote) throw new Error(`The checkpoint cannot be trusted: ${cause.message}`)
    throw cause
  }
}

function addHead(text: string, heads: readonly RecordedHead[] = []): readonly RecordedHead[] {
  const head = readHeadText(text)
  if (head === undefined)
    throw new InvalidArgumentError('Give it as "trail head" printed it: the size, a colon, 64 hexadecimal digits.')
  return [...heads, head]
}

function readNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Give the number of an entry: a whole number from 0.')
  return Number(text)
}
