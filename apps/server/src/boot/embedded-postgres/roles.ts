import type { Client } from 'pg'

export const ownerRole = 'countersign_owner'
export const appRole = 'countersign_app'
export const databaseName = 'countersign'

/**
 * Three roles: the superuser, whom only this launcher uses; the owner, who migrates; the restricted one, which the
 * server runs as. What it may do in the database is said by `migrations/grants.sql`.
 */
export async function makeRoles(
  superuser: Client,
  passwords: { readonly owner: string; readonly app: string },
): Promise<void> {
  // Two processes at once on a new cluster: the second waits and finds everything made.
  await superuser.query('select pg_advisory_lock(42)')
  try {
    await makeRole(superuser, ownerRole, passwords.owner)
    await makeRole(superuser, appRole, passwords.app)
    const { rowCount } = await superuser.query('select from pg_database as d where d.datname = $1', [databaseName])
    if (rowCount === 0) await superuser.query(`create database ${databaseName} owner ${ownerRole}`)
    await superuser.query(`revoke all on database ${databaseName} from public`)
    await superuser.query(`grant connect on database ${databaseName} to ${appRole}`)
  } finally {
    await superuser.query('select pg_advisory_unlock(42)').catch(() => {
      // The connection is gone, and the lock with it; the first error is the one to tell.
    })
  }
}

async function makeRole(superuser: Client, name: string, password: string): Promise<void> {
  const { rowCount } = await superuser.query('select from pg_roles as r where r.rolname = $1', [name])
  if (rowCount !== 0) return
  await superuser.query(`create role ${name} login noinherit password ${superuser.escapeLiteral(password)}`)
}
