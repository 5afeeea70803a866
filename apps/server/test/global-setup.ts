import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { openDataFolder } from '../src/boot/data-folder.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../src/boot/embedded-postgres.ts'
import { prepareServer, type TestServer } from './test-server.ts'

declare module 'vitest' {
  // Vitest's own way of typing what `inject` answers.
  interface ProvidedContext {
    testServer: TestServer
  }
}

/**
 * One database server for all test files: the one TEST_DATABASE_URL names (its role must be a superuser), or an embedded
 * one, which runs of several checkouts share and the last of them stops.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env['TEST_DATABASE_URL']
  const embedded = given ? undefined : await startEmbedded()
  const url = given ?? embedded?.superuserUrl ?? ''
  project.provide('testServer', await prepareServer(url, process.env['TEST_POSTGRES_MAJOR']))
  return async () => embedded?.stop()
}

async function startEmbedded(): Promise<EmbeddedPostgres> {
  const folder = await openDataFolder(join(tmpdir(), `countersign-tests-${process.getuid?.() ?? 'user'}`))
  const quiet = (): void => {}
  // Several runs, each with several servers and their pools, share it.
  return startEmbeddedPostgres({ folder, log: { info: quiet, warn: quiet }, connectionsMax: 400 })
}
