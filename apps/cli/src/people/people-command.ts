import { userInfo } from 'node:os'
import { Command } from 'commander'
import { resetFactors } from '../../../server/src/features/mfa/index.ts'
import { findByEmail } from '../../../server/src/features/people/index.ts'
import { makeBus } from '../../../server/src/kernel/bus.ts'
import { makeLog } from '../../../server/src/kernel/log.ts'
import { type DatabaseOptions, type Surroundings, usingDatabase, withDatabase } from '../database-options.ts'
import type { OpenedDatabase } from '../open-database.ts'
import { openInstallation } from '../tenants/open-installation.ts'
import { addRecoverCommand } from './recover-command.ts'
import { addSyncCommand } from './sync-command.ts'

const resetHelp = `
What is done
  All second factors, backup codes and trusted browsers of this person are removed, a lock after wrong codes is lifted, and
  all sessions end. Roles and password stay. The person is told at the next sign-in, and the trail has an entry that it was
  done on the server's machine, and by which of its users.
  For an administrator who lost the last factor while nobody else can help; else use People in the console.

Exit code
  0 removed · 1 there is nobody with this address, or nothing to remove · 2 it could not be tried

Example
  countersign people reset-factors ada@example.com`

type Options = DatabaseOptions & { readonly json?: boolean }

export function peopleCommand(surroundings: Surroundings): Command {
  const { env, print, complain, fail } = surroundings
  const people = new Command('people')
    .description('What can be done for people on the server’s machine alone')
    .exitOverride()
  withDatabase(people.command('reset-factors'))
    .description('Remove all second factors of somebody who lost them')
    .argument('<e-mail>', 'the address they sign in with')
    .option('--json', 'print one JSON object')
    .addHelpText('after', resetHelp)
    .action(async (email: string, options: Options) => {
      const done = await usingDatabase(options, env, (opened) => reset(opened, env, email))
      if (done === undefined) {
        complain(`There is nobody with the address ${email}. Nothing was changed.\n`)
        fail()
        return
      }
      if (options.json)
        print(`${JSON.stringify({ email, removed: done.removed, sessions_ended: done.sessionsEnded })}\n`)
      else print(words(email, done))
      if (done.removed === 0) fail()
    })
  addRecoverCommand(people, surroundings)
  addSyncCommand(people, surroundings)
  return people
}

type Done = { readonly removed: number; readonly sessionsEnded: number }

async function reset(opened: OpenedDatabase, env: Surroundings['env'], email: string): Promise<Done | undefined> {
  const person = await findByEmail(opened.db, email)
  if (!person) return undefined
  const { db, clock, newId, recordAct } = await openInstallation(opened, env)
  // Never started: it only writes what the server's replicas then hear of.
  const bus = makeBus({ db, clock, log: makeLog('error', { write: () => undefined }) })
  const { resetFromMachine } = resetFactors({
    kernel: { db, clock, newId, bus },
    recordAct,
  })
  return resetFromMachine(person, userInfo().username)
}

function words(email: string, { removed, sessionsEnded }: Done): string {
  const sessions = `${sessionsEnded} session${sessionsEnded === 1 ? '' : 's'} ended.`
  if (removed === 0) return `${email} has no second factor. Attempts that were locked are open again; ${sessions}\n`
  return `${removed} second factor${removed === 1 ? ' was' : 's were'} removed from ${email}; ${sessions} They are told at the next sign-in.\n`
}
