import { readFile } from 'node:fs/promises'
import type { RecordedHead } from '@countersign/trail'
import { Command } from 'commander'
import { type DatabaseOptions, type Surroundings, usingDatabase, withDatabase } from '../database-options.ts'
import { anchorCommand, anchorsCommand } from './anchors-command.ts'
import { readMacSecrets } from './check-macs.ts'
import { exportTrail } from './export-trail.ts'
import { fsckTrail } from './fsck.ts'
import { addHead, addText, readGivenHeads, readGivenKey, readNumber } from './given-heads.ts'
import { headText } from './head-text.ts'
import { exportHelp, fsckHelp, headHelp, proveHelp, verifyHelp } from './help.ts'
import { makeProof, writeProof } from './prove-command.ts'
import { anchorText, type ReadAnchors, readAnchors } from './read-anchors.ts'
import { readArchives } from './read-archives.ts'
import { readLastHead } from './read-rows.ts'
import { type Report, reportText } from './report.ts'
import { retentionCommand } from './retention-command.ts'
import { readTrailDatabase } from './trail-database.ts'
import { verifyExport } from './trail-export.ts'
import { proofKindOf, proofText, verifyProofText } from './verify-proof.ts'
import { verifyServer } from './verify-server.ts'

type CheckOptions = DatabaseOptions & {
  readonly head?: readonly RecordedHead[]
  readonly checkpoint?: readonly string[]
  readonly key?: string
  readonly macSecretFile?: string
  readonly json?: boolean
}

type VerifyOptions = CheckOptions & {
  readonly export?: string
  readonly server?: string
  readonly anchors?: boolean
  readonly folder?: string
  readonly archive?: readonly string[]
  readonly from?: number
  readonly to?: number
}

type Shell = Pick<Surroundings, 'env' | 'print' | 'fail'>

export function trailCommand({ env, print, fail }: Shell): Command {
  const trail = new Command('trail')
    .description('The record of what was witnessed: check it, prove from it, export it')
    .exitOverride()
  const tell = (report: Report, options: CheckOptions, anchored?: ReadAnchors): void => {
    const isWell = report.ok && (anchored?.report.ok ?? true)
    const told = anchored ? { ...report, ok: isWell, anchors: anchored.report } : report
    const text = `${anchored ? anchorText(anchored.report) : ''}${reportText(report)}`
    print(options.json ? `${JSON.stringify(told)}\n` : text)
    if (!isWell) fail()
  }

  withChecks(trail.command('verify'))
    .description('Recompute the record, an export or a proof, and say what was changed, and where')
    .argument('[file]', 'an export or a proof to check instead of a database')
    .option('--export <file>', 'check this export; the same as naming the file')
    .option('--server <url>', 'check the log of a server over the network; needs --key')
    .option(
      '--from <number>',
      'begin at the recorded head at or before this entry, and trust what came before',
      readNumber,
    )
    .option('--to <number>', 'end at the recorded head at or after this many entries', readNumber)
    .option('--anchors', 'hold it against every anchor in the bucket, and check those too')
    .option('--folder <folder>', 'with --anchors: downloaded anchors instead of the bucket')
    .option(
      '--archive <path>',
      'an archive of removed entries, or a folder of them, to be checked too; may be given several times',
      addText,
    )
    .addHelpText('after', verifyHelp)
    .action(async (file: string | undefined, options: VerifyOptions) => {
      const path = file ?? options.export
      if (path !== undefined && options.server !== undefined) throw new Error('Give a file or --server, not both.')
      const kind = path === undefined ? undefined : await proofKindOf(path)
      const key = readGivenKey(options.key)
      const anchored = options.anchors ? await readAnchors({ ...options, export: path }, env) : undefined
      const heads = [...(await readGivenHeads(options)), ...(anchored?.heads ?? [])]
      if (path !== undefined && kind !== undefined) {
        const report = verifyProofText(await readFile(path, 'utf8'), kind, key, heads)
        print(options.json ? `${JSON.stringify(report)}\n` : proofText(report))
        if (!report.ok) fail()
        return
      }
      const macSecrets = await macSecretsOf(options)
      const archives = await readArchives(options.archive ?? [])
      if (path !== undefined)
        return tell(await verifyExport(path, heads, { key, macSecrets, archives }), options, anchored)
      if (options.server !== undefined) {
        const token = env['COUNTERSIGN_TOKEN'] || undefined
        return tell(await verifyServer({ server: options.server, token, key }, heads), options, anchored)
      }
      const { from = 0, to } = options
      if (to !== undefined && to <= from) throw new Error('--to must be beyond --from.')
      tell(
        await usingDatabase(options, env, ({ db }) =>
          readTrailDatabase(db, { heads, from, to, macSecrets, key, archives }),
        ),
        options,
        anchored,
      )
    })

  withChecks(trail.command('fsck'))
    .description('Hold everything the server keeps about the trail against its entries')
    .addHelpText('after', fsckHelp)
    .action(async (options: CheckOptions) => {
      const heads = await readGivenHeads(options)
      const macSecrets = await macSecretsOf(options)
      tell(await usingDatabase(options, env, ({ db }) => fsckTrail(db, { heads, macSecrets })), options)
    })

  withDatabase(trail.command('prove'))
    .description('Write a proof that anybody can check: of one entry, or that the log only grew')
    .argument('[entry]', 'the number of an entry, or its id')
    .option('--since <checkpoint>', 'prove instead that the log continues this older checkpoint')
    .option('--out <file>', 'where to; must not exist yet (default: standard output)')
    .addHelpText('after', proveHelp)
    .action(async (entry: string | undefined, options: DatabaseOptions & { since?: string; out?: string }) => {
      const text = await usingDatabase(options, env, ({ db }) => makeProof(db, entry, options.since))
      if (options.out === undefined) return print(text)
      await writeProof(options.out, text)
      print(`The proof was written to ${options.out}.\n`)
    })

  withDatabase(trail.command('head'))
    .description('Print the head of the log, to be kept elsewhere')
    .addHelpText('after', headHelp)
    .action(async (options: DatabaseOptions) => {
      print(`${headText(await usingDatabase(options, env, ({ db }) => readLastHead(db)))}\n`)
    })

  withDatabase(trail.command('export'))
    .description('Write the record into a file that anybody can verify')
    .argument('<file>', 'where to; must not exist yet')
    .option('--from <number>', 'begin at the recorded head at or before this entry', readNumber)
    .option('--to <number>', 'end at the recorded head at or after this many entries', readNumber)
    .addHelpText('after', exportHelp)
    .action(async (file: string, options: DatabaseOptions & { from?: number; to?: number }) => {
      const { from = 0, to } = options
      if (to !== undefined && to <= from) throw new Error('--to must be beyond --from.')
      const count = await usingDatabase(options, env, ({ db }) => exportTrail(db, file, { from, to }))
      print(`${count} entries were written to ${file}.\n`)
    })
  trail.addCommand(retentionCommand({ env, print, fail }))
  trail.addCommand(anchorCommand({ env, print, fail }))
  trail.addCommand(anchorsCommand({ env, print, fail }))
  return trail
}

function withChecks(command: Command): Command {
  return withDatabase(command)
    .option(
      '--head <size:root>',
      'a head kept elsewhere, as "trail head" printed it; may be given several times',
      addHead,
    )
    .option(
      '--checkpoint <file>',
      'a signed checkpoint kept elsewhere; needs --key; may be given several times',
      addText,
    )
    .option('--key <text>', 'the key that signed it, as /trail/key showed it when you first trusted this log')
    .option('--mac-secret-file <file>', 'check keyed MACs too, with the secrets of AUDIT_HMAC_SECRET, one a line')
    .option('--json', 'print one JSON object')
}

async function macSecretsOf({ macSecretFile }: CheckOptions): Promise<readonly Uint8Array[] | undefined> {
  return macSecretFile === undefined ? undefined : readMacSecrets(macSecretFile)
}
