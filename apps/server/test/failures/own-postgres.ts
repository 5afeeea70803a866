import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { makeFolder } from '../../src/boot/data-folder.ts'
import { freePort, NotStarted, openCluster, startServer, stopServer } from '../../src/boot/embedded-postgres/cluster.ts'
import { readPostmaster } from '../../src/boot/embedded-postgres/postmaster.ts'
import { appRole, databaseName, makeRoles, ownerRole } from '../../src/boot/embedded-postgres/roles.ts'
import { installedRuntime } from '../../src/boot/embedded-postgres/runtime.ts'
import { migrate } from '../../src/boot/migrate.ts'

export type OwnPostgres = {
  readonly url: string
  readonly ownerUrl: string
  /** Every process of it ends, and its port refuses. Nothing revives it. */
  readonly halt: () => Promise<void>
  readonly restart: () => Promise<void>
  /** As a power cut: nothing is said good-bye to; then it comes back and recovers. */
  readonly crash: () => Promise<void>
  readonly remove: () => Promise<void>
}

/** A whole PostgreSQL for one test file, migrated, which that file may stop. */
export async function ownPostgres(below = tmpdir()): Promise<OwnPostgres> {
  const home = await mkdtemp(join(below, 'countersign-postgres-'))
  await makeFolder(home, 0o711)
  const password = 'only-for-tests'
  const runtime = await installedRuntime()
  const cluster = await openCluster({ home, runtime, password, connectionsMax: 60 })
  const port = await startServer(cluster, await freePort(undefined))
  const superuser = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', password, database: 'postgres' })
  await superuser.connect()
  await makeRoles(superuser, { owner: password, app: password })
  await superuser.end()
  const urlOf = (role: string): string => `postgres://${role}:${password}@127.0.0.1:${port}/${databaseName}`
  const [url, ownerUrl] = [urlOf(appRole), urlOf(ownerRole)]
  await migrate({ ownerUrl, appUrl: url, log: { info: () => {}, warn: () => {} } })
  return {
    url,
    ownerUrl,
    halt: () => stopServer(cluster),
    restart: async () => {
      await startServer(cluster, port)
    },
    crash: async () => {
      const running = await readPostmaster(cluster.data)
      if (running) process.kill(running.pid, 'SIGKILL')
      // Its children see that it is gone and end by themselves.
      for (;;) {
        try {
          await startServer(cluster, port)
          return
        } catch (cause) {
          if (!(cause instanceof NotStarted)) throw cause
          await pause(50)
        }
      }
    },
    remove: async () => {
      await stopServer(cluster)
      await rm(home, { recursive: true, force: true })
    },
  }
}
