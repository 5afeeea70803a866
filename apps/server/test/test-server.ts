import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { isAlive } from '../src/boot/embedded-postgres/postmaster.ts'
import { migrate, migrationsFolder } from '../src/boot/migrate.ts'
import { sha256Hex } from '../src/kernel/crypto.ts'

/** What every test file needs to know to make a database of its own. */
export type TestServer = {
  readonly superuserUrl: string
  readonly template: string
  /** The process whose databases these are; when it is dead, they are leftovers. */
  readonly run: number
}

export const ownerRole = 'countersign_test_owner'
export const appRole = 'countersign_test_app'
const prefix = 'countersign_test'

/** Makes the roles and the migrated template, unless an earlier run made the same, and drops what killed runs left. */
export async function prepareServer(superuserUrl: string, major?: string): Promise<TestServer> {
  const superuser = new pg.Client({ connectionString: superuserUrl, application_name: 'countersign test setup' })
  await superuser.connect()
  try {
    if (major) await requireMajor(superuser, major)
    // Runs that start at once take turns.
    await superuser.query('select pg_advisory_lock(45)')
    const template = `${prefix}_template_${await fingerprint()}`
    const names = await databases(superuser)
    const runs = names.map((name) => runOf(name)).filter((run) => run > 0 && isAlive(run))
    for (const name of names) {
      const isLeftover = runOf(name) > 0 && !isAlive(runOf(name))
      // Another run may still clone an older template.
      const isOutdated = name.startsWith(`${prefix}_template_`) && name !== template && runs.length === 0
      if (isLeftover || isOutdated) await dropDatabase(superuser, name)
    }
    for (const role of [ownerRole, appRole]) await makeRole(superuser, role)
    if (!names.includes(template)) await makeTemplate(superuser, superuserUrl, template)
    return { superuserUrl, template, run: process.pid }
  } finally {
    await superuser.end()
  }
}

export function urlFor(superuserUrl: string, database: string, role?: string): string {
  const url = new URL(superuserUrl)
  url.pathname = `/${database}`
  if (role) {
    url.username = role
    url.password = password
  }
  return url.href
}

export function databaseName(run: number): string {
  return `${prefix}_${run}_${globalThis.crypto.randomUUID().slice(0, 8)}`
}

export async function dropDatabase(superuser: pg.Client, name: string): Promise<void> {
  await superuser.query('update pg_database set datistemplate = false where datname = $1', [name])
  await superuser.query(`drop database if exists ${name} with (force)`)
}

async function requireMajor(superuser: pg.Client, major: string): Promise<void> {
  const { rows } = await superuser.query<{ version: string }>(`select current_setting('server_version') as version`)
  const version = rows[0]?.version ?? ''
  if (version.split('.')[0] !== major) throw new Error(`This lane is for PostgreSQL ${major}; the server is ${version}`)
}

/** Guards nothing: these roles exist on test servers only. */
const password = 'only-for-tests'

async function makeTemplate(superuser: pg.Client, superuserUrl: string, template: string): Promise<void> {
  // Made under another name, so that one cut short is never taken for the finished thing.
  const making = databaseName(process.pid)
  await superuser.query(`create database ${making} owner ${ownerRole} template template0 encoding 'UTF8'`)
  const ownerUrl = urlFor(superuserUrl, making, ownerRole)
  await migrate({ ownerUrl, appUrl: urlFor(superuserUrl, making, appRole), log: { info: () => {}, warn: () => {} } })
  await superuser.query(`alter database ${making} with is_template true allow_connections false`)
  await superuser.query(`alter database ${making} rename to ${template}`)
}

async function makeRole(superuser: pg.Client, name: string): Promise<void> {
  const { rowCount } = await superuser.query('select from pg_roles as r where r.rolname = $1', [name])
  if (rowCount === 0) await superuser.query(`create role ${name} login password '${password}'`)
}

/** Names the template for everything that decides what is in it. */
async function fingerprint(): Promise<string> {
  const names = (await readdir(migrationsFolder)).filter((name) => name.endsWith('.sql')).toSorted()
  const files = [...names, '../src/boot/migrate.ts'].map((name) => join(migrationsFolder, name))
  const texts = await Promise.all(files.map((path) => readFile(path, 'utf8')))
  const boss = (await import('pg-boss')).getConstructionPlans()
  return sha256Hex(JSON.stringify([names, texts, boss])).slice(0, 16)
}

async function databases(superuser: pg.Client): Promise<readonly string[]> {
  const { rows } = await superuser.query<{ name: string }>(
    'select d.datname as name from pg_database as d where starts_with(d.datname, $1)',
    [`${prefix}_`],
  )
  return rows.map(({ name }) => name)
}

function runOf(name: string): number {
  return Number(/^countersign_test_(\d+)_[0-9a-f]+$/.exec(name)?.[1] ?? 0)
}
