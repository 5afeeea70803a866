import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { readVariable } from '../../../server/src/boot/config.ts'
import { requireKnown } from '../../../server/src/boot/known-secrets.ts'
import { makeAnotherTenant } from '../../../server/src/features/people/index.ts'
import { makeFirstSigningKey } from '../../../server/src/features/signing/index.ts'
import { recordAct } from '../../../server/src/features/trail/index.ts'
import { systemClock } from '../../../server/src/kernel/clock.ts'
import { type Keyring, makeKeyring } from '../../../server/src/kernel/crypto.ts'
import type { Db } from '../../../server/src/kernel/db.ts'
import { idMaker } from '../../../server/src/kernel/ids.ts'
import type { OpenedDatabase } from '../open-database.ts'

type Env = Readonly<Record<string, string | undefined>>

/** What an act on the server's machine needs to be done and recorded as the server would: its seal key, the database's clock. */
export async function openInstallation({ db, folder }: OpenedDatabase, env: Env) {
  const sealing = await sealKeys(folder, env)
  await requireKnown(db, 'COUNTERSIGN_SEAL_KEY', sealing)
  const clock = await databaseClock(db)
  const newId = idMaker(clock.now)
  return { db, sealing, clock, newId, recordAct: recordAct({ clock, newId, keyring: sealing }) }
}

/** Makes tenants as the server would, with an entry in the trail. */
export async function tenantMaker(opened: OpenedDatabase, env: Env) {
  const { sealing, ...needs } = await openInstallation(opened, env)
  const make = makeAnotherTenant({ ...needs, furnish: makeFirstSigningKey({ ...needs, sealing }) })
  const by = {
    actor: { kind: 'system', id: 'command_line', credential: 'server_machine' },
    personal: { actor: { machine_user: userInfo().username } },
  } as const
  return (tenantName: string, email: string, password: string) => make({ tenantName, email, password, by })
}

/** What the new tenant's signing key and the trail's personal facts are sealed with: the server's own keys, or none. */
export async function sealKeys(folder: OpenedDatabase['folder'], env: Env): Promise<Keyring> {
  const read = (path: string): string => readFileSync(path, 'utf8')
  const current = readVariable('sealKey', env, read)?.reveal() ?? (await folder?.existingSecret('seal-key'))
  if (current === undefined) {
    throw new Error(
      "Give the server's COUNTERSIGN_SEAL_KEY (or COUNTERSIGN_SEAL_KEY_FILE): keys of this installation are sealed with it.",
    )
  }
  return makeKeyring([current, ...readVariable('oldSealKeys', env, read).map((key) => key.reveal())])
}

/** What links and sessions are digested with: the server's own keys, or none. */
export async function secretKeys(folder: OpenedDatabase['folder'], env: Env): Promise<Keyring> {
  const read = (path: string): string => readFileSync(path, 'utf8')
  const current = readVariable('secretKey', env, read)?.reveal() ?? (await folder?.existingSecret('secret-key'))
  if (current === undefined) {
    throw new Error(
      "Give the server's COUNTERSIGN_SECRET_KEY (or COUNTERSIGN_SECRET_KEY_FILE): a link made with another one is worth nothing.",
    )
  }
  return makeKeyring([current, ...readVariable('oldSecretKeys', env, read).map((key) => key.reveal())])
}

/** The server's time: the database's. */
export async function databaseClock(db: Db) {
  const clock = systemClock()
  const [row] = await db.query<{ at: Date }>('select clock_timestamp() as at')
  if (row) clock.adjust(row.at.getTime() - clock.now().getTime())
  return clock
}
