import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { macKeyId } from '@countersign/trail'
import { Command } from 'commander'
import { readVariable } from '../../../server/src/boot/config.ts'
import { requireKnown } from '../../../server/src/boot/known-secrets.ts'
import {
  macKeyUses,
  otherRunningKeys,
  type Progress,
  type Resealing,
  resealSecrets,
  sealKeyUses,
  secretKeyUses,
  unlistedRows,
} from '../../../server/src/features/secrets/index.ts'
import type { Keyring } from '../../../server/src/kernel/crypto.ts'
import { Problem, problems } from '../../../server/src/kernel/problem.ts'
import { type DatabaseOptions, type Surroundings, usingDatabase, withDatabase } from '../database-options.ts'
import type { OpenedDatabase } from '../open-database.ts'
import { openInstallation, secretKeys } from '../tenants/open-installation.ts'
import { progressText, reportJson, reportText, type SecretsReport } from './report-text.ts'

const resealHelp = `
When to use it
  After COUNTERSIGN_SEAL_KEY was rotated: every server runs with the new key, and with the old one in
  COUNTERSIGN_OLD_SEAL_KEYS. Until this is done the old one must stay listed for ever.

What is done
  Everything sealed under an old key (signing keys, the trail's log key, the keys of personal facts, secrets of
  authenticator apps) is opened and sealed under the current one. The keys themselves stay what they are: signatures,
  checkpoints and codes go on as before, and what was erased stays erased. The servers go on running meanwhile.
  It goes in batches, each in a transaction; it may be cut off anywhere and run again, and two runs do no harm.
  The trail has an entry before the first batch and one after the last: how many, under which keys, by which user of the
  server's machine.
  At the end every old key is named by its id and its place in the list, with what still needs it. What only has a digest
  cannot be sealed anew: agent keys and API tokens are renewed by a server when they are next used, sessions, links and
  trusted browsers end by themselves, unused backup codes wait until their owners make new ones. MACs of the trail stay.

What it needs
  The server's database as the owner of its tables (COUNTERSIGN_MIGRATE_DATABASE_URL, or the data folder), and the server's
  environment with all its secrets, new and old. Nobody can do this over the network.

Exit code
  0 everything is sealed under the current key; with --dry-run: everything could be opened by a listed key
  1 refused, or something is left: it says what and why · 2 it could not be tried

Examples
  countersign secrets reseal --dry-run
  countersign secrets reseal
  countersign secrets reseal --data-dir /var/lib/countersign --json`

type Options = DatabaseOptions & { readonly json?: boolean; readonly dryRun?: boolean }

export function secretsCommand(surroundings: Surroundings): Command {
  const { env, print, complain, fail } = surroundings
  const secrets = new Command('secrets').description('The secrets of a server, on its machine alone').exitOverride()
  withDatabase(secrets.command('reseal'))
    .description('Seal under the current key what is sealed under old ones, and tell which old keys can go')
    .option('--dry-run', 'only count, by table and key id; nothing is changed')
    .option('--json', 'print one JSON object; progress goes to standard error')
    .addHelpText('after', resealHelp)
    .action(async (options: Options) => {
      const onProgress = (progress: Progress): void => complain(progressText(progress))
      const report = await usingDatabase(
        options,
        env,
        (opened) => (options.dryRun ? survey(opened, env) : reseal(opened, env, onProgress)),
        'owner',
      ).catch((cause: unknown) => {
        // A no is an answer; whatever else went wrong is told by the program's own exit.
        if (!(cause instanceof Problem)) throw cause
        complain(`${cause.detail} Nothing was changed.\n`)
        fail()
        return undefined
      })
      if (!report) return
      print(options.json ? reportJson(report) : reportText(report))
      if (report.unlisted.length > 0 || (report.resealing?.leftCount ?? 0) > 0) fail()
    })
  return secrets
}

type Env = Surroundings['env']

async function survey(opened: OpenedDatabase, env: Env): Promise<SecretsReport> {
  const { keyring, installation } = await openWithKeys(opened, env)
  return reportOn(installation, keyring, env, undefined)
}

async function reseal(opened: OpenedDatabase, env: Env, onProgress: (now: Progress) => void): Promise<SecretsReport> {
  const { keyring, installation } = await openWithKeys(opened, env)
  const resealing = await resealSecrets(installation)(userInfo().username, onProgress)
  return reportOn(installation, keyring, env, resealing)
}

type Installation = Awaited<ReturnType<typeof openInstallation>>

async function openWithKeys(opened: OpenedDatabase, env: Env) {
  const installation = await openInstallation(opened, env)
  const keyring = await secretKeys(opened.folder, env)
  await requireCurrent(opened, 'COUNTERSIGN_SEAL_KEY', installation.sealing)
  await requireCurrent(opened, 'COUNTERSIGN_SECRET_KEY', keyring)
  return { keyring, installation }
}

/** What is sealed under a key that a running server does not have would be lost to it, until it is given the key. */
async function requireCurrent(
  { db }: OpenedDatabase,
  name: 'COUNTERSIGN_SEAL_KEY' | 'COUNTERSIGN_SECRET_KEY',
  keys: Keyring,
): Promise<void> {
  const remedy = 'Start every server with the new one first, and list the old one.'
  const known = await requireKnown(db, name, keys)
  if (known !== keys.fingerprint) {
    throw new Problem(
      problems.conflict,
      `The servers of this database were last started with another ${name} (${known.slice(0, 8)}) than this command (${keys.keyId}). ${remedy}`,
    )
  }
  const others = await otherRunningKeys(db, name, keys.keyId)
  if (others.length === 0) return
  throw new Problem(
    problems.conflict,
    `A server is still running with another ${name} (${others.join(', ')}) than this command (${keys.keyId}). ${remedy}`,
  )
}

async function reportOn(
  { db, sealing, clock }: Installation,
  keyring: Keyring,
  env: Env,
  resealing: Resealing | undefined,
): Promise<SecretsReport> {
  const read = (path: string): string => readFileSync(path, 'utf8')
  const idOf = (secret: { readonly reveal: () => string }): string =>
    macKeyId(new TextEncoder().encode(secret.reveal()))
  const mac = readVariable('trailMacSecret', env, read)
  const uses = [
    ...(await sealKeyUses(db, sealing)),
    ...(await secretKeyUses(db, keyring, clock.now())),
    ...(await macKeyUses(db, mac && idOf(mac), readVariable('oldTrailMacSecrets', env, read).map(idOf))),
  ]
  return { resealing, keyId: sealing.keyId, uses, unlisted: await unlistedRows(db, sealing) }
}
