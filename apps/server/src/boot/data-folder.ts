import { chmod, link, mkdir, open, readdir, readFile, realpath, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

/** The folder this server keeps its own files in: secrets always, the embedded database when there is one. */
export type DataFolder = {
  readonly path: string
  readonly secrets: string
  /** Reads a secret, making it first when it does not exist. Two processes at once end up with the same one. */
  readonly secret: (name: string, make: () => string) => Promise<string>
  /** The secret, or nothing when it was never made. */
  readonly existingSecret: (name: string) => Promise<string | undefined>
}

/**
 * Opens the folder, creating it when needed. As root it is 0711, since the database runs as another user and must
 * pass through it; otherwise 0700. Secrets lie in a sub-folder only this user may enter.
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  const wanted = resolve(path)
  try {
    await refuseForeign(wanted)
    await makeFolder(wanted, isRoot() ? 0o711 : 0o700)
    const real = await realpath(wanted)
    const secrets = join(real, 'secrets')
    await makeFolder(secrets, 0o700)
    return {
      path: real,
      secrets,
      secret: (name, make) => keepOnce(join(secrets, name), make),
      existingSecret: (name) => readKept(join(secrets, name)),
    }
  } catch (cause) {
    throw new Error(`The data folder ${wanted} cannot be used: ${reason(cause)}`, { cause })
  }
}

export function isRoot(): boolean {
  return process.getuid?.() === 0
}

/** Creates the folder with exactly this mode, whatever the umask; an existing one is brought to it when it is ours. */
export async function makeFolder(path: string, mode: number): Promise<void> {
  // Parents made on the way get the same mode: under umask 077 they would shut the database's user out.
  const parent = dirname(path)
  if (!(await exists(parent))) await makeFolder(parent, mode === 0o700 ? 0o711 : mode)
  await mkdir(path, { mode }).catch(unless('EEXIST'))
  const found = await stat(path)
  if (!found.isDirectory()) throw new Error(`${path} is not a folder. Set COUNTERSIGN_DATA_DIR to another.`)
  if ((found.mode & 0o777) !== mode) await chmod(path, mode)
}

/** The first folder on the way down to `path` that other users may not pass through. */
export async function closedParent(path: string): Promise<string | undefined> {
  const parents: string[] = []
  for (let at = path; dirname(at) !== at; at = dirname(at)) parents.unshift(dirname(at))
  for (const parent of parents) {
    if (((await stat(parent)).mode & 0o001) === 0) return parent
  }
  return undefined
}

export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(unless('ENOENT'))) !== undefined
}

/** For `catch`: swallows the named error codes, which the caller expects, and passes every other on. */
export function unless(...codes: readonly string[]): (cause: unknown) => undefined {
  return (cause) => {
    if (codes.includes(errorCode(cause))) return undefined
    throw cause
  }
}

export function errorCode(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : ''
}

/** The folder's mode is about to change, so it must be new, empty or ours: /tmp or a home folder named by mistake is not. */
async function refuseForeign(path: string): Promise<void> {
  const found = await readdir(path).catch(unless('ENOENT'))
  if (found === undefined || found.includes('secrets')) return
  const foreign = found.find((name) => !name.startsWith('.') && name !== 'lost+found')
  if (foreign === undefined) return
  throw new Error(
    `it holds other things (${foreign}). Set COUNTERSIGN_DATA_DIR to an empty folder or one that does not exist yet.`,
  )
}

/** Reads a one-line file of ours, making it first when it does not exist; never half-written, never two versions. */
export async function keepOnce(path: string, make: () => string): Promise<string> {
  const kept = await readKept(path)
  if (kept !== undefined) return kept
  // Written aside and linked into place: whoever reads sees a whole secret or none, and the first of two makers wins.
  const aside = `${path}.${globalThis.crypto.randomUUID()}`
  const file = await open(aside, 'wx', 0o600)
  try {
    await file.chmod(0o600)
    await file.writeFile(`${make()}\n`)
    await file.sync()
    await link(aside, path).catch(unless('EEXIST'))
  } finally {
    await file.close()
    await rm(aside, { force: true })
  }
  const made = await readKept(path)
  if (made === undefined) throw new Error(`${path} was removed while it was being made`)
  return made
}

export async function readKept(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch(unless('ENOENT'))
  if (text === undefined) return undefined
  const secret = text.trim()
  if (secret === '') throw new Error(`${path} is empty; restore it from a backup`)
  // A copy or a restored backup may have opened it to others.
  if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600)
  return secret
}

const notAllowed = 'this user may not write there'
const words: Readonly<Record<string, string>> = {
  EACCES: notAllowed,
  EPERM: notAllowed,
  EROFS: 'its file system is mounted read-only',
  ENOTDIR: 'something on the way to it is a file',
  ENOENT: 'no folder can be made there',
  ENOSPC: 'its file system is full',
  EDQUOT: 'the quota of this user is used up',
}

function reason(cause: unknown): string {
  const known = words[errorCode(cause)]
  if (known === undefined) return cause instanceof Error ? cause.message : String(cause)
  return `${known} (${String(cause)}). Mend that, or set COUNTERSIGN_DATA_DIR to a folder of the user the server runs as.`
}
