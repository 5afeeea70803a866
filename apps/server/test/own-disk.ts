import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type OwnDisk = {
  readonly path: string
  /** Takes every byte that is left but so many. */
  readonly fill: (leave?: number) => Promise<void>
  readonly makeRoom: () => Promise<void>
  readonly remove: () => void
}

/** A small file system of its own, or nothing where mounting is not allowed. */
export function ownDisk(megabytes: number): OwnDisk | undefined {
  const path = mkdtempSync(join(tmpdir(), 'countersign-disk-'))
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0755`, 'tmpfs', path])
  if (status !== 0) {
    rmdirSync(path)
    return undefined
  }
  const filler = join(path, '.filler')
  return {
    path,
    fill: async (leave = 0) => {
      const file = await open(filler, 'w')
      try {
        let written = 0
        for (let block = 1 << 20; block >= 4096; block /= 2) {
          const bytes = Buffer.alloc(block, 1)
          for (;;) {
            const { bytesWritten } = await file.write(bytes).catch(() => ({ bytesWritten: 0 }))
            written += bytesWritten
            if (bytesWritten < block) break
          }
        }
        if (leave > 0) await file.truncate(Math.max(0, written - leave))
      } finally {
        await file.close().catch(() => undefined)
      }
    },
    makeRoom: () => rm(filler, { force: true }),
    remove: () => {
      spawnSync('umount', ['-l', path])
      rmdirSync(path)
    },
  }
}
