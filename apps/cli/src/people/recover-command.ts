import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { Command } from 'commander'
import { readVariable } from '../../../server/src/boot/config.ts'
import { requireKnown } from '../../../server/src/boot/known-secrets.ts'
import { makeLink } from '../../../server/src/features/people/index.ts'
import { type Recovery, recoverAdministrator } from '../../../server/src/features/recovery/index.ts'
import { Problem } from '../../../server/src/kernel/problem.ts'
import { type DatabaseOptions, type Surroundings, usingDatabase, withDatabase } from '../database-options.ts'
import type { OpenedDatabase } from '../open-database.ts'
import { openInstallation, secretKeys } from '../tenants/open-installation.ts'

const recoverHelp = `
When to use it
  Nobody can sign in: passwords are switched off and the identity provider was removed, is broken or knows nobody any more;
  or the only administrator lost the password. While another administrator gets in, use People in the console instead.

What is done
  A link is made for one administrator and printed once. It works once, for 30 minutes, and takes the place of any link that
  person had. Whoever opens it chooses a password and is signed in, also where passwords are switched off, which stays as it
  is: switch sign_in.password on under Settings, or mend the provider, before the session ends. Roles and second factors stay:
  somebody with a factor is asked for it (countersign people reset-factors removes lost ones). All other sessions of the
  person end when the link is used.
  The trail has an entry that it was done on the server's machine, and by which of its users. Every administrator is told in
  the console, on every page until they take note, of the link and of its use.

What it needs
  The server's database and its secrets: run it on the server's machine with the server's environment (COUNTERSIGN_SECRET_KEY,
  COUNTERSIGN_SEAL_KEY, COUNTERSIGN_BASE_URL) or data folder. Nobody can do this over the network.

Exit code
  0 made · 1 refused, and nothing was made (it says why) · 2 it could not be tried

Examples
  countersign people recover ada@example.com
  countersign people recover ada@example.com --data-dir /var/lib/countersign
  countersign people recover ada@example.com --json`

type Options = DatabaseOptions & { readonly json?: boolean }

export function addRecoverCommand(people: Command, { env, print, complain, fail }: Surroundings): void {
  withDatabase(people.command('recover'))
    .description('Make a link that lets an administrator back in when nobody can sign in')
    .argument('<e-mail>', 'the address of an administrator')
    .option('--json', 'print one JSON object')
    .addHelpText('after', recoverHelp)
    .action(async (email: string, options: Options) => {
      const made = await usingDatabase(options, env, (opened) => recover(opened, env, email)).catch(
        (cause: unknown) => {
          // A no is an answer; whatever else went wrong is told by the program's own exit.
          if (!(cause instanceof Problem)) throw cause
          complain(`${cause.detail} Nothing was made.\n`)
          fail()
          return undefined
        },
      )
      if (made) print(options.json ? json(made) : words(made))
    })
}

async function recover(opened: OpenedDatabase, env: Surroundings['env'], email: string): Promise<Recovery> {
  const keyring = await secretKeys(opened.folder, env)
  await requireKnown(opened.db, 'COUNTERSIGN_SECRET_KEY', keyring)
  const { db, clock, newId, recordAct } = await openInstallation(opened, env)
  const begin = recoverAdministrator({
    db,
    clock,
    makeLink: makeLink({ clock, newId, keyring, baseUrl: baseUrlOf(env) }),
    recordAct,
  })
  return begin(email, userInfo().username)
}

/** As the server itself reads it. */
function baseUrlOf(env: Surroundings['env']): string {
  const read = (path: string): string => readFileSync(path, 'utf8')
  return readVariable('baseUrl', env, read) ?? `http://localhost:${readVariable('port', env, read)}`
}

function json({ email, link, expiresAt }: Recovery): string {
  return `${JSON.stringify({ email, link, expires_at: expiresAt.toISOString() })}\n`
}

function words({ email, link, expiresAt }: Recovery): string {
  const until = `${expiresAt.toISOString().slice(0, 16).replace('T', ' ')} UTC`
  return `${link}\n\nLets ${email} in, once, until ${until}. Hand it over in confidence: whoever opens it is that person.\nAll administrators are told, and the trail has an entry.\n`
}
