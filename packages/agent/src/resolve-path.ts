import { realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { ResolvedPath } from '@countersign/rules'

/**
 * Where an absolute path really leads on this machine: links are followed as far as there is something, and what is not
 * there yet is put behind it. A link made between this look and the tool's use of the path is the operating system's to
 * prevent.
 */
export function resolvePath(path: string): ResolvedPath {
  const missing: string[] = []
  for (let existing = path; ; existing = dirname(existing)) {
    try {
      return { path: join(realpathSync.native(existing), ...missing) }
    } catch (cause) {
      const isAbsent = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
      // A loop or a folder we may not look into: only the text is known, and the rules treat it so.
      if (!isAbsent || existing === dirname(existing)) return { path, isUncertain: true }
      missing.unshift(basename(existing))
    }
  }
}
