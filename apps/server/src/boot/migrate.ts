import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { sha256Hex } from '../kernel/crypto.ts'
import { jobsSchema } from '../kernel/jobs.ts'
import type { Log } from '../kernel/log.ts'
import { errorCode } from './data-folder.ts'

export const migrationsFolder = fileURLToPath(new URL('../../migrations', import.meta.url))

type Migration = { readonly name: string; readonly text: string }
type Applied = { readonly name: string; readonly checksum: string }

type Needs = {
  /** The owner of the tables, who alone may change them. */
  readonly ownerUrl: string
  /** The restricted role the server runs as; it is granted what `grants.sql` says. */
  readonly appUrl: string
  readonly folder?: string
  readonly log: Pick<Log, 'info' | 'warn'>
}

/**
 * Brings the database to this release: plain SQL files, forward only, each in one transaction with the row that says
 * so. Replicas that start at once take turns. Answers the names of the files it ran.
 */
export async function migrate({ ownerUrl, appUrl, folder = migrationsFolder, log }: Needs): Promise<readonly string[]> {
  const appRole = await roleOf(appUrl, 'the server')
  const migrations = await readMigrations(folder)
  const owner = await connect(ownerUrl, 'the migrations')
  try {
    await owner.query('select pg_advisory_lock(43)')
    // From here on nobody waits for us who could not wait for a table; better to fail than to queue the whole service.
    await owner.query(`set lock_timeout = '30s'`)
    await owner.query(bookkeeping)
    const applied = await readApplied((text) => owner.query<Applied>(text).then(({ rows }) => rows))
    const pending = settlePending(migrations, applied, log)
    for (const migration of pending) await run(owner, migration)
    await owner.query(jobHealth)
    if (!(await hasJobs(owner))) await migrateJobs(ownerUrl)
    // Ours know nothing of a newer release's tables: they would take rights its replicas need, and give some on what
    // only ever grows. The newer release has set them.
    if (!isNewer(applied, migrations)) await grant(owner, join(folder, 'grants.sql'), appRole, log)
    if (pending.length > 0) log.info({ ran: pending.map(({ name }) => name) }, 'The database was migrated')
    return pending.map(({ name }) => name)
  } finally {
    await owner.end()
  }
}

/** The files that this release brings and the database has not seen; health asks. */
export async function pendingMigrations(
  query: (text: string) => Promise<readonly Applied[]>,
  folder: string = migrationsFolder,
): Promise<readonly string[]> {
  const applied = new Set((await readApplied(query)).map(({ name }) => name))
  return (await migrationNames(folder)).filter((name) => !applied.has(name))
}

const bookkeeping = `
  create table if not exists schema_migrations (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now()
  );
  comment on table schema_migrations is 'Which migration files this database has seen, and what was in them';
`

/** Belongs to the job queue rather than to a feature, and is made with it. */
const jobHealth = `
  create table if not exists job_health (
    queue text primary key,
    last_success_at timestamptz,
    last_failure_at timestamptz,
    consecutive_failures integer not null default 0
  );
  comment on table job_health is 'How the jobs of each queue have gone, on all replicas together';
`

async function migrationNames(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter((name) => /^\d/.test(name)).toSorted()
  const odd = names.find((name) => !/^\d{4}_[a-z0-9_]+\.sql$/.test(name))
  if (odd) throw new Error(`${join(folder, odd)} is not named like a migration; call it 0001_what_it_makes.sql`)
  const twin = names.find((name, at) => names[at - 1]?.slice(0, 4) === name.slice(0, 4))
  if (twin)
    throw new Error(`Two migrations in ${folder} have the number of ${twin}; give the newer one the next number`)
  return names
}

async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const names = await migrationNames(folder)
  // A checkout with other line ends is the same migration.
  return Promise.all(
    names.map(async (name) => ({ name, text: (await readFile(join(folder, name), 'utf8')).replaceAll('\r\n', '\n') })),
  )
}

async function readApplied(query: (text: string) => Promise<readonly Applied[]>): Promise<readonly Applied[]> {
  return query('select m.name, m.checksum from schema_migrations as m order by m.name')
}

function settlePending(
  migrations: readonly Migration[],
  applied: readonly Applied[],
  log: Needs['log'],
): readonly Migration[] {
  const ours = new Map(migrations.map((migration) => [migration.name, migration]))
  const last = applied.at(-1)?.name ?? ''
  const newest = migrations.at(-1)?.name ?? ''
  for (const { name, checksum } of applied) {
    const migration = ours.get(name)
    if (migration && sha256Hex(migration.text) !== checksum) {
      throw new Error(
        `The migration ${name} was changed after this database had run it. Restore the file as it was, and put the change into a new one.`,
      )
    }
    if (!migration && name < newest) {
      throw new Error(
        `This database has run the migration ${name}, which this release does not have. It belongs to another line of releases; use one that has it.`,
      )
    }
  }
  // During a rolling update the older replicas find a newer database; every change is made so that they can go on.
  if (isNewer(applied, migrations)) log.warn({ last }, 'The database was migrated by a newer release than this one')
  const pending = migrations.filter(({ name }) => !applied.some((seen) => seen.name === name))
  const late = pending.find(({ name }) => name < last)
  if (late) {
    throw new Error(
      `The migration ${late.name} is new, but this database has already run ${last}. Give the new file a number above that.`,
    )
  }
  return pending
}

/** Whether a newer release than this one has migrated the database. */
function isNewer(applied: readonly Applied[], migrations: readonly Migration[]): boolean {
  return (applied.at(-1)?.name ?? '') > (migrations.at(-1)?.name ?? '')
}

async function run(owner: pg.Client, migration: Migration): Promise<void> {
  await owner.query('begin')
  try {
    const before = await transactionId(owner)
    await owner.query(migration.text)
    if ((await transactionId(owner)) !== before) {
      throw new Error('it ends the transaction it runs in; remove its begin, commit or rollback')
    }
    await owner.query('insert into schema_migrations (name, checksum) values ($1, $2)', [
      migration.name,
      sha256Hex(migration.text),
    ])
    await owner.query('commit')
  } catch (cause) {
    await owner.query('rollback').catch(() => {
      // The connection is gone and the transaction with it; the first error is the one to tell.
    })
    throw new Error(`The migration ${migration.name} failed and was undone: ${explain(cause, migration.text)}`, {
      cause,
    })
  }
}

async function transactionId(owner: pg.Client): Promise<string | undefined> {
  const { rows } = await owner.query<{ id: string }>('select pg_current_xact_id()::text as id')
  return rows[0]?.id
}

/** Whether the tables of the job queue are those of the library's release; loading it to find out takes long. */
async function hasJobs(owner: pg.Client): Promise<boolean> {
  const { pgboss } = createRequire(import.meta.url)('pg-boss/package.json') as { readonly pgboss?: { schema?: number } }
  const { rows: there } = await owner.query<{ is: boolean }>(
    `select to_regclass('${jobsSchema}.version') is not null as is`,
  )
  if (!there[0]?.is) return false
  const { rows } = await owner.query<{ version: number }>(`select v.version from ${jobsSchema}.version as v`)
  return rows[0] !== undefined && rows[0].version === pgboss?.schema
}

/** The tables of the job queue, which the restricted role could not make. */
async function migrateJobs(ownerUrl: string): Promise<void> {
  const { PgBoss } = await import('pg-boss')
  const boss = new PgBoss({ connectionString: ownerUrl, schema: jobsSchema, supervise: false, schedule: false, max: 2 })
  boss.on('error', () => {
    // Told again by start(), which rejects; without a listener the process would end instead.
  })
  await boss.start()
  await boss.stop({ graceful: false })
}

/**
 * Runs `grants.sql` for the role the server runs as. It says everything from the beginning each time, so a table made
 * by any migration has its rights, and a right taken from the file is taken from the role.
 */
async function grant(owner: pg.Client, file: string, appRole: string, log: Needs['log']): Promise<void> {
  const { rows } = await owner.query<{ name: string }>('select current_user as name')
  if (rows[0]?.name === appRole) {
    log.warn(
      { role: appRole },
      'The server runs as the owner of its tables, so nothing but triggers protects the trail. ' +
        'Set COUNTERSIGN_MIGRATE_DATABASE_URL to the owner and COUNTERSIGN_DATABASE_URL to a role with fewer rights.',
    )
    return
  }
  const text = (await readFile(file, 'utf8')).replaceAll(':"app_role"', owner.escapeIdentifier(appRole))
  await owner.query('begin')
  try {
    await owner.query(text)
    await owner.query('commit')
  } catch (cause) {
    await owner.query('rollback')
    throw new Error(`The rights of ${appRole} could not be set: ${explain(cause, text)}`, { cause })
  }
}

async function roleOf(url: string, who: string): Promise<string> {
  const client = await connect(url, who)
  try {
    const { rows } = await client.query<{ name: string }>('select current_user as name')
    return rows[0]?.name ?? ''
  } finally {
    await client.end()
  }
}

async function connect(url: string, who: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'countersign migrate', keepAlive: true })
  // A connection that breaks between two statements would otherwise end the process; the next statement tells.
  client.on('error', () => {})
  await client.connect().catch((cause: unknown) => {
    throw new Error(notLetIn(who, cause), { cause })
  })
  return client
}

function explain(cause: unknown, text: string): string {
  if (!(cause instanceof Error)) return String(cause)
  const position = 'position' in cause ? Number(cause.position) : 0
  if (!position) return cause.message
  return `${cause.message} (line ${text.slice(0, position).split('\n').length})`
}

const unreachable = ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH']

/** A name with several addresses fails with an error that has no words of its own, only a code. */
function notLetIn(who: string, cause: unknown): string {
  const code = errorCode(cause)
  const words = (cause instanceof Error ? cause.message : String(cause)) || code
  if (!unreachable.includes(code)) return `The database does not let ${who} in: ${words}`
  const name = who === 'the server' ? 'COUNTERSIGN_DATABASE_URL' : 'COUNTERSIGN_MIGRATE_DATABASE_URL'
  return `The database cannot be reached for ${who}: ${words}. See that it runs and takes connections from here, at the host and port of ${name}.`
}
