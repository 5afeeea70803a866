import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { countPeople, listTenants, type TenantSize } from '../../../server/src/features/tenants/index.ts'
import { randomToken } from '../../../server/src/kernel/crypto.ts'
import { Problem } from '../../../server/src/kernel/problem.ts'
import { type DatabaseOptions, type Surroundings, usingDatabase, withDatabase } from '../database-options.ts'
import { tenantMaker } from './open-installation.ts'

type CreateOptions = DatabaseOptions & {
  readonly admin: string
  readonly passwordFile?: string
  readonly json?: boolean
}

const createHelp = `
What is made
  A tenant with its own people, keys, agents, events and settings, a first administrator, the environments production,
  staging and development, and a signing key. Nobody of another tenant sees any of it. The trail has an entry.
  Run it on the server's machine: whoever has the database and the seal key may do this, and nobody over the network.

Password
  Without --password-file one is made and printed once. The administrator can change it after signing in.

Exit code
  0 made · 1 refused, and nothing was made (it says why) · 2 it could not be tried

Examples
  countersign tenants create "Payments" --admin ada@example.com
  countersign tenants create Payments --admin ada@example.com --password-file ./password --json
  echo "$PASSWORD" | countersign tenants create Payments --admin ada@example.com --password-file -`

const listHelp = `
Exit code
  0 listed · 2 the database cannot be read

Example
  countersign tenants list --json`

export function tenantsCommand({ env, print, complain, fail }: Surroundings): Command {
  const tenants = new Command('tenants')
    .description('The isolation units of an installation: make another, list them')
    .exitOverride()

  withDatabase(tenants.command('create'))
    .description('Make a tenant with its first administrator')
    .argument('<name>', 'what its people call it')
    .requiredOption('--admin <e-mail>', 'the first administrator, who belongs to no other tenant')
    .option('--password-file <file>', 'a file with the administrator’s password; - reads standard input')
    .option('--json', 'print one JSON object')
    .addHelpText('after', createHelp)
    .action(async (name: string, options: CreateOptions) => {
      const made = await usingDatabase(options, env, async (opened) => {
        if ((await countPeople(opened.db)) === 0) throw notSetUp()
        const make = await tenantMaker(opened, env)
        const given = options.passwordFile === undefined ? undefined : readPassword(options.passwordFile)
        const password = given ?? randomToken(18)
        const { tenant, person } = await make(name, options.admin, password)
        return { tenant, person, ...(given === undefined && { password }) }
      }).catch((cause: unknown) => {
        // A no is an answer; whatever else went wrong is told by the program's own exit.
        if (!(cause instanceof Problem)) throw cause
        complain(`${cause.detail} Nothing was made.\n`)
        fail()
        return undefined
      })
      if (made) print(options.json ? createdJson(name, options.admin, made) : createdText(name, options.admin, made))
    })

  withDatabase(tenants.command('list'))
    .description('List all tenants of the installation, oldest first')
    .option('--json', 'print one JSON object')
    .addHelpText('after', listHelp)
    .action(async (options: DatabaseOptions & { readonly json?: boolean }) => {
      const found = await usingDatabase(options, env, ({ db }) => listTenants(db))
      print(options.json ? listJson(found) : listText(found))
    })
  return tenants
}

function notSetUp(): Error {
  return new Error(
    'This server is not set up yet. Open the link it printed when it started: that makes the first tenant.',
  )
}

/** The first line, as a shell writes it. */
function readPassword(path: string): string {
  return readFileSync(path === '-' ? 0 : path, 'utf8').replace(/\r?\n[^]*$/, '')
}

type Made = { readonly tenant: string; readonly person: string; readonly password?: string }

function createdJson(name: string, email: string, { tenant, person, password }: Made): string {
  const made = {
    tenant: { id: tenant, name },
    administrator: { id: person, email },
    ...(password !== undefined && { password }),
  }
  return `${JSON.stringify(made)}\n`
}

function createdText(name: string, email: string, { tenant, password }: Made): string {
  const lines = [
    `Tenant ${name} was made: ${tenant}`,
    `Administrator: ${email}`,
    ...(password === undefined ? [] : [`Password, shown this once: ${password}`]),
  ]
  return `${lines.join('\n')}\n`
}

function listJson(found: readonly TenantSize[]): string {
  const tenants = found.map(({ id, name, madeAt, people }) => ({ id, name, made_at: madeAt.toISOString(), people }))
  return `${JSON.stringify({ tenants })}\n`
}

function listText(found: readonly TenantSize[]): string {
  if (found.length === 0) return 'There is no tenant yet: the server is not set up.\n'
  const rows = found.map(({ id, name, madeAt, people }) => [
    id,
    madeAt.toISOString().slice(0, 10),
    String(people),
    name,
  ])
  const all = [['ID', 'MADE', 'PEOPLE', 'NAME'], ...rows]
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all
    .map(
      (row) =>
        `${row
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}
