import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { readVariable } from '../../../server/src/boot/config.ts'
import { type Plan, type RemoveExpired, removeExpired } from '../../../server/src/features/retention/index.ts'
import { type Act, entryMacs, logSigner, writeActs } from '../../../server/src/features/trail/index.ts'
import type { Sql } from '../../../server/src/kernel/db.ts'
import { idMaker } from '../../../server/src/kernel/ids.ts'
import { type DatabaseOptions, type Surroundings, usingDatabase, withDatabase } from '../database-options.ts'
import { databaseClock, sealKeys } from '../tenants/open-installation.ts'
import { anchorPlace, openStore } from './anchor-store.ts'

type Shell = Pick<Surroundings, 'env' | 'print' | 'fail'>
type Options = DatabaseOptions & { readonly json?: boolean }

const help = `
What is removed
  Entries older than COUNTERSIGN_LOG_RETENTION_DAYS, in whole tiles of 256, under an anchored checkpoint, and never under a
  legal hold. Each span is first written into the bucket of the anchors under a lock and read back. Leaf hashes and a
  signed stub stay, so that every proof and checkpoint stays valid. The server does the same by itself every ten minutes.

Exit code
  0 done, or nothing to do · 1 something could not be removed (it says why) · 2 it could not be tried

Examples
  countersign trail retention plan        what would go, and what waits: changes nothing
  countersign trail retention apply       archive and remove it now`

/** `trail retention plan|apply`. */
export function retentionCommand({ env, print, fail }: Shell): Command {
  const retention = new Command('retention')
    .description('Archive and remove entries whose time is over: say what would go, or do it')
    .exitOverride()
    .addHelpText('after', help)
  withDatabase(retention.command('plan'))
    .alias('dry-run')
    .description('Say what would be archived and removed now, and change nothing')
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
    .action(async (options: Options) => {
      const plan = await withRetention(options, env, (remove) => remove.plan())
      print(options.json ? `${JSON.stringify(planOnWire(plan))}\n` : planText(plan))
    })
  withDatabase(retention.command('apply'))
    .description('Archive and remove what has expired, now')
    .option('--json', 'print one JSON object')
    .addHelpText('after', help)
    .action(async (options: Options) => {
      const outcome = await withRetention(options, env, (remove) =>
        remove.pass({ kind: 'system', id: 'command_line' }, true),
      )
      if (outcome.is === 'busy') return print('The server is removing expired entries at this moment.\n')
      const { spans, failures } = outcome
      if (options.json) print(`${JSON.stringify({ removed: spans, failures })}\n`)
      else {
        for (const { first, last, archive_key: key } of spans)
          print(`Entries ${first} to ${last} were archived as ${key} and removed.\n`)
        for (const why of failures) print(`Not removed: ${why}\n`)
        if (spans.length + failures.length === 0) print('Nothing has expired that may be removed.\n')
      }
      if (failures.length > 0) fail()
    })
  return retention
}

function withRetention<Result>(
  options: Options,
  env: Surroundings['env'],
  work: (remove: RemoveExpired) => Promise<Result>,
): Promise<Result> {
  const read = (path: string): string => readFileSync(path, 'utf8')
  const retentionDays = readVariable('logRetentionDays', env, read)
  if (retentionDays === undefined) {
    throw new Error('Set COUNTERSIGN_LOG_RETENTION_DAYS as for the server. Without it the trail is kept for ever.')
  }
  return usingDatabase(options, env, async ({ db, folder }) => {
    const place = anchorPlace(env)
    const [clock, sealing, store] = [
      await databaseClock(db),
      await sealKeys(folder, env),
      openStore(env, place.bucket, 60_000),
    ]
    const quiet = (): void => undefined
    const macs = entryMacs(readVariable('trailMacSecret', env, read), readVariable('oldTrailMacSecrets', env, read))
    const write = (tx: Sql, act: Act, id: string): Promise<void> => {
      const at = clock.now()
      return writeActs(tx, { keyring: sealing, macOf: macs.macOf }, [{ act, id, at }], at)
    }
    const remove = removeExpired({
      db,
      clock,
      log: { info: quiet, warn: quiet, error: quiet },
      store,
      policy: { retentionDays, place },
      newId: idMaker(clock.now),
      trail: { signer: logSigner(sealing), write },
    })
    try {
      return await work(remove)
    } finally {
      store.close()
    }
  })
}

function planOnWire({ spans, isCut, waiting }: Plan) {
  const shown = spans.map(({ first, beyond, oldestAt, newestAt, is }) => ({
    is,
    first,
    last: beyond - 1,
    count: beyond - first,
    oldest_at: oldestAt.toISOString(),
    newest_at: newestAt.toISOString(),
  }))
  const next = waiting?.is === 'young' ? waiting.dueAt.toISOString() : null
  return { spans: shown, is_cut: isCut, waits_for: waiting?.is ?? null, next_due_at: next }
}

const waits = {
  unanchored: 'What comes next waits for an anchor.',
  few: 'What comes next waits until there are 256 entries more: whole tiles go at a time.',
} as const

function planText({ spans, isCut, waiting }: Plan): string {
  const lines = spans.map(({ first, beyond, oldestAt, newestAt, is }) => {
    const what = is === 'due' ? 'would be archived and removed' : 'have expired and are under a legal hold'
    return `Entries ${first} to ${beyond - 1} (${oldestAt.toISOString()} to ${newestAt.toISOString()}) ${what}.`
  })
  if (spans.length === 0) lines.push('Nothing has expired.')
  if (isCut) lines.push('And more.')
  if (waiting?.is === 'young')
    lines.push(
      `The next, entries ${waiting.span.first} to ${waiting.span.beyond - 1}, will at ${waiting.dueAt.toISOString()}.`,
    )
  else if (waiting) lines.push(waits[waiting.is])
  return `${lines.join('\n')}\n`
}
