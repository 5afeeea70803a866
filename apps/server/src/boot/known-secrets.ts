import type { Keyring } from '../kernel/crypto.ts'
import type { Db, Sql } from '../kernel/db.ts'

/**
 * Refuses to start with a secret the database does not know: everything made with the right one would silently stop
 * working. A known one that is now listed as older marks a rotation.
 */
export async function knowSecrets(db: Db, now: Date, keyrings: Readonly<Record<string, Keyring>>): Promise<void> {
  for (const [name, keyring] of Object.entries(keyrings)) {
    await db.query(
      `insert into secret_fingerprints (name, fingerprint, seen_at) values ($1, $2, $3) on conflict do nothing`,
      [name, keyring.fingerprint, now],
    )
    const known = await requireKnown(db, name, keyring)
    if (known === keyring.fingerprint) continue
    await db.query(
      `update secret_fingerprints as f set fingerprint = $2, seen_at = $3 where f.name = $1 and f.fingerprint = $4`,
      [name, keyring.fingerprint, now, known],
    )
  }
}

/** The fingerprint the database knows, when it is one of these secrets'. Changes nothing. */
export async function requireKnown(db: Sql, name: string, keyring: Keyring): Promise<string> {
  const [row] = await db.query<{ fingerprint: string }>(
    `select f.fingerprint from secret_fingerprints as f where f.name = $1`,
    [name],
  )
  if (!row) throw new Error('No server has been started on this database yet. Start one first.')
  if (keyring.fingerprints.includes(row.fingerprint)) return row.fingerprint
  throw new Error(
    `${name} is not the one this database was used with (its fingerprint is ${keyring.fingerprint.slice(0, 8)}, known is ${row.fingerprint.slice(0, 8)}). Give it the right one; to rotate, keep the old one in ${name.replace('COUNTERSIGN_', 'COUNTERSIGN_OLD_')}S.`,
  )
}
