import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { readVariable } from '../../../server/src/boot/config.ts'
import { configuredSeeds } from '../../../server/src/boot/configured-providers.ts'
import { giveRoles, type Synced, syncPeople } from '../../../server/src/features/people/index.ts'
import { makeBus } from '../../../server/src/kernel/bus.ts'
import { makeLog } from '../../../server/src/kernel/log.ts'
import { type DatabaseOptions, type Surroundings, usingDatabase, withDatabase } from '../database-options.ts'
import type { OpenedDatabase } from '../open-database.ts'
import { openInstallation } from '../tenants/open-installation.ts'

const syncHelp = `
What is done
  Everybody named in COUNTERSIGN_ADMINS, COUNTERSIGN_OPERATORS, COUNTERSIGN_DEPLOYERS and COUNTERSIGN_VIEWERS (or ADMIN_USERS,
  OPERATIONS_USERS, DEPLOYER_USERS and VIEWER_USERS) gets exactly the roles they are named for, everywhere. Whoever is not
  there yet is added. A start of the server only adds: it never changes anybody, since a person may have had a reason.
  Roles in one environment or on one rack stay. So does everybody who is not named, and who was removed stays removed. The last
  administrator keeps that role. The trail has an entry for each change, that it was done on the server's machine, and by
  which of its users. Roles that an identity provider's groups decide are decided again at that person's next sign-in.

What it needs
  The server's environment, or its data folder and the lists. See first what it would do with --dry-run.

Exit code
  0 done, or nothing to do · 1 somebody named does not have the roles afterwards (it says why) · 2 it could not be tried

Examples
  COUNTERSIGN_ADMINS=ada@example.com countersign people sync --dry-run
  countersign people sync --data-dir /var/lib/countersign --json`

type Options = DatabaseOptions & { readonly json?: boolean; readonly dryRun?: boolean }

export function addSyncCommand(people: Command, { env, print, fail }: Surroundings): void {
  withDatabase(people.command('sync'))
    .description('Give everybody the environment names exactly the roles they are named for')
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('--json', 'print one JSON object')
    .addHelpText('after', syncHelp)
    .action(async (options: Options) => {
      const isDryRun = options.dryRun === true
      const synced = await usingDatabase(options, env, (opened) => sync(opened, env, isDryRun))
      if (options.json) print(`${JSON.stringify({ dry_run: isDryRun, people: synced })}\n`)
      else print(words(synced, isDryRun))
      if (synced.some(({ outcome }) => refused.has(outcome))) fail()
    })
}

async function sync(opened: OpenedDatabase, env: Surroundings['env'], isDryRun: boolean): Promise<readonly Synced[]> {
  const read = (path: string): string => readFileSync(path, 'utf8')
  const seeds = configuredSeeds({
    admins: readVariable('admins', env, read),
    operators: readVariable('operators', env, read),
    deployers: readVariable('deployers', env, read),
    viewers: readVariable('viewers', env, read),
  })
  if (seeds.length === 0) {
    throw new Error(
      'The environment names nobody. Set COUNTERSIGN_ADMINS, or another of the lists that --help tells of.',
    )
  }
  const { db, clock, newId, recordAct } = await openInstallation(opened, env)
  // Never started: it only writes what the server's replicas then hear of.
  const bus = makeBus({ db, clock, log: makeLog('error', { write: () => undefined }) })
  const needs = { db, clock, newId, recordAct }
  const give = giveRoles({ clock, newId, tell: { bus, recordAct } })
  const by = {
    actor: { kind: 'system', id: 'command_line', credential: 'server_machine' },
    personal: { actor: { machine_user: userInfo().username } },
  } as const
  return syncPeople({ ...needs, giveRoles: give })(seeds, { by, isDryRun })
}

const refused: ReadonlySet<Synced['outcome']> = new Set(['kept_as_last_administrator', 'was_removed', 'other_tenant'])

function words(synced: readonly Synced[], isDryRun: boolean): string {
  const lines = synced.map((one) => `${one.email}: ${said(one)}\n`)
  return lines.join('') + (isDryRun ? 'Nothing was done: this was a dry run.\n' : '')
}

function said({ outcome, before, after }: Synced): string {
  const list = (roles: readonly string[]): string => (roles.length === 0 ? 'no role' : roles.join(', '))
  switch (outcome) {
    case 'added':
      return `added as ${list(after)}`
    case 'changed':
      return `${list(before)} → ${list(after)}`
    case 'unchanged':
      return `stays ${list(after)}`
    case 'kept_as_last_administrator':
      return `stays ${list(after)}: the last administrator keeps that role. Name another administrator first.`
    case 'was_removed':
      return 'was removed by somebody, and stays removed. Invite them under People.'
    case 'other_tenant':
      return 'belongs to another tenant, and is left alone.'
  }
}
