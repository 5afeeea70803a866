import { readdir, readFile, readlink, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode, unless } from '../data-folder.ts'

/** What a running server says about itself in `postmaster.pid`. */
export type Postmaster = { readonly pid: number; readonly port: number; readonly isReady: boolean }

export async function readPostmaster(cluster: string): Promise<Postmaster | undefined> {
  const text = await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(unless('ENOENT'))
  if (text === undefined) return undefined
  const lines = text.split('\n')
  const pid = Number(lines[0])
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined
  return { pid, port: Number(lines[3] ?? 0), isReady: lines[7]?.trim() === 'ready' }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (cause) {
    // EPERM: somebody else's process, but a living one.
    return errorCode(cause) === 'EPERM'
  }
}

/**
 * True when the process is this cluster's server. After a restart of a container the number in `postmaster.pid` may
 * belong to anything, so Linux is asked what the process is; elsewhere a living process is believed.
 */
export async function isServerOf(cluster: string, pid: number): Promise<boolean> {
  if (!isAlive(pid)) return false
  if (process.platform !== 'linux') return true
  return (await argumentsOf(pid)).includes(cluster) || (await folderOf(pid)) === cluster
}

/**
 * PostgreSQL clears away a dead server's `postmaster.pid` itself, but not when its number now belongs to another process
 * of the same user. Removed only after looking at every process, since the file is what keeps two servers apart;
 * otherwise answers which process still works there.
 */
export async function removeStalePid(cluster: string): Promise<string | undefined> {
  if (process.platform !== 'linux') return undefined
  for (const name of await readdir('/proc')) {
    const pid = Number(name)
    if (!Number.isSafeInteger(pid)) continue
    const [title = ''] = await argumentsOf(pid)
    // A backend that outlived its server; where it works a root without all rights cannot see.
    const mayBeOurs = title.startsWith('postgres:') && (await folderOf(pid)) === undefined && isAlive(pid)
    if (mayBeOurs || (await isServerOf(cluster, pid))) return `process ${pid} (${title})`
  }
  await rm(join(cluster, 'postmaster.pid'), { force: true })
  return undefined
}

async function argumentsOf(pid: number): Promise<readonly string[]> {
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
}

async function folderOf(pid: number): Promise<string | undefined> {
  return readlink(`/proc/${pid}/cwd`).catch(() => undefined)
}
