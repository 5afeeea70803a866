import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { openDataFolder } from '../../src/boot/data-folder.ts'
import { installedRuntime } from '../../src/boot/embedded-postgres/runtime.ts'
import { runningEmbeddedPostgres } from '../../src/boot/embedded-postgres.ts'
import { ownDisk } from '../own-disk.ts'
import { type ServerProcess, serverProcess } from './server-process.ts'

/** Processes of their own, each with a whole start. */
vi.setConfig({ testTimeout: 240_000 })

const disk = ownDisk(300)
const data = join(disk?.path ?? '', 'data')
const started: ServerProcess[] = []

afterEach(async () => {
  for (const one of started.splice(0)) {
    one.kill('SIGTERM')
    await one.ended
  }
})
afterAll(() => disk?.remove())

async function start(): Promise<ServerProcess> {
  const server = await serverProcess(disk?.path ?? '', { COUNTERSIGN_DATA_DIR: data })
  started.push(server)
  return server
}

/** It ends with 1 and one line that names the folder, and no database runs on for nobody. */
async function expectRefused(): Promise<void> {
  const server = await start()
  expect(await server.ready).toBe(false)
  expect(await server.ended).toEqual({ code: 1, signal: null })
  const told = server.complaints()
  expect(told).toContain(`Countersign cannot start: The disk that holds ${data} is full (`)
  expect(told).toContain('Make room and start again')
  expect(told).not.toMatch(/^\s+at |FATAL|LOG: /m)
  expect(await runningEmbeddedPostgres(await openDataFolder(data))).toBeUndefined()
}

describe.skipIf(disk === undefined)('a start on a full disk', () => {
  test('at whatever step of the first start there is no more room, it says so, keeps nothing half made, and goes on with room', async () => {
    const programs = `runtime-${(await installedRuntime()).version}`
    for (const megabytes of [0, 30, 80]) {
      await disk?.fill(megabytes * 2 ** 20)
      await expectRefused()
      expect((await readdir(data)).filter((name) => name.startsWith('runtime-') && name !== programs)).toEqual([])
      const cluster = join(data, 'postgres-18')
      if (existsSync(cluster)) expect(await readdir(cluster)).toEqual([])
      await disk?.makeRoom()
    }
    const server = await start()
    expect(await server.ready, server.complaints()).toBe(true)
  })

  test('a database that is there already cannot start either, which is told in the same words; with room it is whole', async () => {
    await disk?.fill()
    await expectRefused()
    await disk?.makeRoom()
    const server = await start()
    expect(await server.ready, server.complaints()).toBe(true)
  })
})
