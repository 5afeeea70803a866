import { type Permission, permissionRows, permissions } from '@countersign/wire'
import { readConfig } from '../../apps/server/src/boot/config.ts'
import { variables } from '../../apps/server/src/boot/variables.ts'
import { type App, compose } from '../../apps/server/src/compose.ts'
import { builtInRoles, type Route } from '../../apps/server/src/features/roles/index.ts'
import { systemClock } from '../../apps/server/src/kernel/clock.ts'
import { makeKeyring, Secret } from '../../apps/server/src/kernel/crypto.ts'
import { openDb } from '../../apps/server/src/kernel/db.ts'
import { makeLog } from '../../apps/server/src/kernel/log.ts'
import { problems } from '../../apps/server/src/kernel/problem.ts'
import { cliPage } from './cli-page.ts'

/** The reference, page by page, printed from the tables the server itself runs by. */
export async function referencePages(): Promise<Readonly<Record<string, string>>> {
  const { native, edictum, rack, publicLog } = await routeTables()
  return {
    'configuration.md': configurationPage(),
    'api.md': apiPage({ native, edictum, rack, publicLog }),
    'permissions.md': permissionsPage(native),
    'errors.md': errorsPage(),
    'cli.md': cliPage(printed),
    'metrics.md': await metricsPage(),
  }
}

type RouteTables = Readonly<Record<'native' | 'edictum' | 'rack' | 'publicLog', readonly Route[]>>

export function routeTables(): Promise<RouteTables> {
  return withServer({}, ({ routes }) => Promise.resolve(routes))
}

/** Composes a server that is never started: its tables need no database. */
async function withServer<Found>(
  environment: Readonly<Record<string, string>>,
  look: (app: App) => Promise<Found>,
): Promise<Found> {
  const keyring = makeKeyring(['only to print a page, never to keep a secret'])
  const db = openDb({
    url: 'postgresql://nobody@127.0.0.1:1/none',
    applicationName: 'reference',
    connectionsMax: 2,
    onBrokenConnection: () => undefined,
  })
  const app = compose({
    config: readConfig(environment, () => ''),
    baseUrl: 'http://localhost:8000',
    version: '0',
    db,
    clock: systemClock(),
    log: makeLog('error'),
    keyring,
    sealing: keyring,
    setupSecret: new Secret('none'),
    pendingMigrations: () => Promise.resolve(0),
  })
  try {
    return await look(app)
  } finally {
    await app.http.close()
    await db.end()
  }
}

const printed = '<!-- Printed by `npm run reference`. Change the table in the code instead. -->\n'

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

const code = (text: string): string => `\`${text}\``

function configurationPage(): string {
  const rows = Object.values(variables).map((row) => {
    const older: readonly string[] = 'older' in row ? (row.older ?? []) : []
    const platform: readonly string[] = 'platform' in row ? (row.platform ?? []) : []
    const fallback =
      'fallbackWords' in row && row.fallbackWords !== undefined ? row.fallbackWords : String(row.fallback)
    return [
      code(row.name),
      row.help,
      row.reader.form,
      fallback === '' ? 'none' : fallback,
      [...older, ...platform].map(code).join(', '),
    ]
  })
  return `${printed}
# Configuration

Everything is set by environment variables, also from a file named \`.env\` in the working directory. Each can be given as
\`NAME_FILE\` with the path of a file that holds the value. A \`COUNTERSIGN_\` name that is not in this table is an error, and
every mistake is reported at once. Names in the last column are read too; two that say different things are an error,
except those that platforms set (\`PORT\`, \`DATABASE_URL\`, \`REDIS_URL\`), which are used when nothing else is set.

${table(['Variable', 'What it does', 'Form', 'Without it', 'Other names'], rows)}
`
}

const factorWords = { 'step-up': 'fresh proof', always: 'proof for this act' } as const

function apiPage({ native, edictum, rack, publicLog }: RouteTables): string {
  const rows = (routes: readonly Route[]): string[][] =>
    routes.map(({ method, path, does, needs, factor }) => [
      code(`${method} ${path}`),
      does,
      factor === undefined || factor === 'before' ? code(needs) : `${code(needs)}, ${factorWords[factor]}`,
    ])
  return `${printed}
# API

## Ours: below \`/api/v2\`

JSON with \`snake_case\` names and UTC times. Errors are [problem details](errors.md). Cookie sessions need the header
\`X-Requested-With: countersign\` on requests that change something. The machine-readable
description is at \`/api/v2/openapi.json\`; with the profile \`production\` only for whoever reads the settings. Who has a second factor reaches nothing before it was proven in
the session. *Fresh proof*: the factor, or the password of somebody without one, was proven within the window
(\`mfa.step_up_minutes\`); *proof for this act*: a factor was proven within two minutes and no other act used it up.

${table(['Route', 'What it does', 'Needs'], rows(native))}

## For agents and scripts of the Edictum family: below \`/v1\` and \`/api/v1\`

Errors are \`{"detail": …}\`. A path that begins with \`/rulesets\` is also there as \`/bundles\`.

${table(['Route', 'What it does', 'Needs'], rows(edictum))}

## For clients of Rack Gateway: below \`/api/v1\`

Errors are \`{"error": …}\`, with \`message\` and the header \`X-MFA-Required\` where a second factor is missing. A session of a
command line or an API token comes in \`Authorization\`, as Bearer or as the password of Basic; a factor that comes along is
taken as [Second factors](../second-factors.md) says. Cookie sessions need the header \`X-CSRF-Token\` on requests that change
something, with the value that \`GET /api/v1/info\` answers in the header of the same name. \`caller\`: every person and every API token.

${table(['Route', 'What it does', 'Needs'], rows(rack))}

## For verifiers and witnesses of the trail: below \`/trail\`

C2SP \`tlog-checkpoint\` and \`tlog-tiles\`. Hashes tell nothing of what they are of; entries are not public.

${table(['Route', 'What it does', 'Needs'], rows(publicLog))}
`
}

function permissionsPage(native: readonly Route[]): string {
  const matrix = permissions.map((permission) => [
    code(permission),
    permissionRows[permission].does,
    ...builtInRoles.map((role) => (role.permissions.includes(permission) ? markOf(role, permission) : '')),
    permissionRows[permission].forTokens ? 'yes' : '',
  ])
  const routes = permissions.flatMap((permission) => {
    const opened = native.filter(({ needs }) => needs === permission || needs === `agent-key or ${permission}`)
    return opened.length === 0 ? [] : [[code(permission), opened.map(({ does }) => does).join('; ')]]
  })
  const heads = ['Permission', 'What it allows', ...builtInRoles.map(({ name }) => code(name)), 'Tokens']
  return `${printed}
# Permissions

A route names the permission it needs; a role is a list of permissions. \`○\`: not in protected environments, since the role
lacks \`protected:write\`. *Tokens*: what an API token can be given. A test asks every route as every role.

${table(heads, matrix)}

## What each opens

${table(['Permission', 'Routes'], routes)}
`
}

function markOf(role: (typeof builtInRoles)[number], permission: Permission): string {
  return permissionRows[permission].isGuarded && !role.permissions.includes('protected:write') ? '○' : '●'
}

function errorsPage(): string {
  const rows = Object.values(problems).map(({ code: name, status, title }) => [
    `<a id="${name}"></a>${code(name)}`,
    String(status),
    title,
  ])
  return `${printed}
# Errors

Errors of \`/api/v2\` are \`application/problem+json\` (RFC 9457): \`type\`, \`title\`, \`status\`, \`detail\` for people,
\`code\` for programs, \`request_id\` to find the request in the log, and \`errors\` with a path for each field that does not fit.
A \`code\` never changes its meaning.

${table(['Code', 'Status', 'Title'], rows)}
`
}

async function metricsPage(): Promise<string> {
  const everything = {
    COUNTERSIGN_ANCHOR_BUCKET: 'anchors',
    COUNTERSIGN_ANCHOR_CHAIN_ID: 'reference',
    COUNTERSIGN_LOG_RETENTION_DAYS: '365',
  }
  const text = await withServer(everything, async ({ http }) => (await http.inject('/metrics')).body)
  const rows = [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\w+)/gm)].map(
    ([, name = '', help = '', kind = '']) => [code(name), help, kind],
  )
  return `${printed}
# Metrics

Prometheus text at \`/metrics\`, for this machine alone or whoever sends \`COUNTERSIGN_MONITORING_TOKEN\` as a bearer token. No
label ever has an id, a name or anything else that users choose. What is told of the trail, of agents and of approvals is of the
whole installation, the same from every replica; the rest is of the process that is asked. A value that cannot be found out
is \`NaN\`, never 0.

${table(['Metric', 'What it is', 'Type'], rows)}
`
}
