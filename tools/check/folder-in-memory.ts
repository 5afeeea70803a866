import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAlive } from '../../apps/server/src/boot/embedded-postgres/postmaster.ts'

const gibibyte = 2 ** 30
/** What the tests' databases and their logs come to at most, and what must be left for everything else. */
const roomBytes = 8 * gibibyte
const memoryBytes = 12 * gibibyte
/** As Linux tells a file system in memory. */
const tmpfs = 0x01021994

/**
 * A folder in memory for the temporary files of a run, the test database's among them: nothing of a test has to outlive
 * the machine, and waiting for the disk is almost a third of what a lane with a database takes. Gone when this process ends. Undefined where memory is
 * short, where programs may not be run from there, or where TMPDIR says what is wanted.
 */
export function folderInMemory(below = '/dev/shm'): string | undefined {
  if (process.env['TMPDIR'] || !hasRoom(below)) return undefined
  removeLeftovers(below)
  const path = join(below, `${prefix}${process.pid}`)
  mkdirSync(path)
  process.on('exit', () => rmSync(path, { recursive: true, force: true }))
  // Like /tmp: the database runs as another user than root.
  chmodSync(path, 0o1777)
  return runsPrograms(path) ? path : undefined
}

const prefix = 'countersign-run-'

function hasRoom(path: string): boolean {
  try {
    const { type, bavail, bsize } = statfsSync(path)
    return type === tmpfs && bavail * bsize >= roomBytes && process.availableMemory() >= memoryBytes
  } catch {
    // Not Linux.
    return false
  }
}

/** The embedded PostgreSQL is run from a copy in its folder. */
function runsPrograms(path: string): boolean {
  const program = join(path, 'program')
  writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 })
  const { status } = spawnSync(program)
  rmSync(program)
  return status === 0
}

/** What runs that were killed have left takes memory until somebody removes it. */
function removeLeftovers(below: string): void {
  for (const name of readdirSync(below)) {
    const pid = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : 0
    if (pid > 0 && !isAlive(pid)) rmSync(join(below, name), { recursive: true, force: true })
  }
}
