import pg from 'pg'
import { inject } from 'vitest'
import { appRole, databaseName, dropDatabase, ownerRole, urlFor } from './test-server.ts'

export type TestDatabase = {
  /** As the restricted role, like the server. */
  readonly url: string
  /** As the owner of the tables. */
  readonly ownerUrl: string
  /** For attacks and for looking at what no role of ours may see. */
  readonly superuserUrl: string
  readonly drop: () => Promise<void>
}

/** A migrated database for this test file alone; `afterAll(() => database.drop())`. */
export function testDatabase(): Promise<TestDatabase> {
  return makeDatabase(inject('testServer').template)
}

/** An empty database, as the migrator finds it on the first start. */
export function emptyDatabase(): Promise<TestDatabase> {
  return makeDatabase('template0')
}

async function makeDatabase(template: string): Promise<TestDatabase> {
  const { superuserUrl, run } = inject('testServer')
  const name = databaseName(run)
  await asSuperuser(superuserUrl, async (superuser) => {
    await superuser.query(`create database ${name} template ${template} owner ${ownerRole} encoding 'UTF8'`)
  })
  return {
    url: urlFor(superuserUrl, name, appRole),
    ownerUrl: urlFor(superuserUrl, name, ownerRole),
    superuserUrl: urlFor(superuserUrl, name),
    drop: () => asSuperuser(superuserUrl, (superuser) => dropDatabase(superuser, name)),
  }
}

async function asSuperuser(url: string, work: (superuser: pg.Client) => Promise<void>): Promise<void> {
  const superuser = new pg.Client({ connectionString: url, application_name: 'countersign test' })
  await superuser.connect()
  try {
    await work(superuser)
  } finally {
    await superuser.end()
  }
}
