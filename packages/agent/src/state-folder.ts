import { mkdirSync } from 'node:fs'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** A folder only this user reads. What it holds decides what is trusted and enforced after a restart. */
export type StateFolder = {
  readonly path: string
  /** Undefined when there is none. One that cannot be read throws: taking it for none would forget what it says. */
  readonly read: (name: string) => Promise<unknown>
  /** All or nothing, and on the medium when it resolves. */
  readonly write: (name: string, value: unknown) => Promise<void>
}

export function openStateFolder(path: string): StateFolder {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  let writes = 0
  return {
    path,
    read: async (name) => {
      let text: string
      try {
        text = await readFile(join(path, name), 'utf8')
      } catch (cause) {
        if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
        throw cause
      }
      try {
        return JSON.parse(text) as unknown
      } catch (cause) {
        throw new Error(`${join(path, name)} is damaged`, { cause })
      }
    },
    write: async (name, value) => {
      writes += 1
      const temporary = join(path, `${name}.${process.pid}.${writes}.tmp`)
      try {
        const file = await open(temporary, 'w', 0o600)
        try {
          await file.writeFile(JSON.stringify(value))
          await file.sync()
        } finally {
          await file.close()
        }
        await rename(temporary, join(path, name))
      } catch (cause) {
        await rm(temporary, { force: true })
        throw cause
      }
    },
  }
}
