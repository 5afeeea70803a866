import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'

/** A file of lines. More may lie in it than was appended in whole; only `size` bytes of it count. */
export type Segment = { readonly path: string; size: number; sent: number }

/** Folders of spools that are open in this process: two guards may share a state folder. */
const open = new Set<string>()

/** A folder whose name says which process writes in it. */
export function ownFolder(folder: string): string {
  const name = [
    hostname().replace(/[^A-Za-z0-9-]/g, '-'),
    process.pid,
    startOf(process.pid),
    crypto.randomUUID().slice(0, 8),
  ].join('.')
  const path = join(folder, name)
  mkdirSync(path, { mode: 0o700 })
  open.add(path)
  return path
}

/** The guard is closed: what is left in its folder is there for the next one. */
export function leaveFolder(path: string): void {
  open.delete(path)
}

/**
 * Moves what processes of this machine left when they died into `own`, oldest first. Renaming is what claims a file, so
 * two that look at once take each file once. Folders of other machines are left to them.
 */
export function adoptAbandoned(folder: string, own: string): Segment[] {
  const adopted: Segment[] = []
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name)
    if (path === own || open.has(path) || !isAbandoned(name)) continue
    for (const file of listed(path)) {
      const target = join(own, `0-${name}-${file}`)
      try {
        renameSync(join(path, file), target)
      } catch {
        // Another process was faster, and it delivers it.
        continue
      }
      adopted.push({ path: target, size: statSync(target).size, sent: 0 })
    }
    try {
      rmdirSync(path)
    } catch {
      // Gone, or not empty: the next start looks again.
    }
  }
  return adopted
}

function listed(path: string): string[] {
  try {
    return readdirSync(path).sort()
  } catch {
    // No folder, or one that is gone by now.
    return []
  }
}

function isAbandoned(name: string): boolean {
  const [host, pid = '', start] = name.split('.')
  if (host !== hostname().replace(/[^A-Za-z0-9-]/g, '-') || !/^\d+$/.test(pid)) return false
  const number = Number(pid)
  // Whatever this process still writes to was passed over before.
  if (number === process.pid) return true
  if (!isAlive(number)) return true
  // The number was given to another process since: it began at another time.
  return startOf(number) !== start
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    // Somebody else's process is alive as well.
    return cause instanceof Error && 'code' in cause && cause.code === 'EPERM'
  }
}

/** When a process began, in ticks since the machine did; `0` where the system does not tell. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name of the program, in brackets, may hold spaces and brackets.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0'
  } catch {
    return '0'
  }
}
