import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'

type Login = { readonly token: string; readonly email: string; readonly expiresAt: string }
type Kept = { readonly current: string | null; readonly servers: Readonly<Record<string, Login>> }

export type Credentials = ReturnType<typeof credentialsIn>

/** What was signed in to, in a file that only its owner can read. */
export function credentialsIn(env: Readonly<Record<string, string | undefined>>) {
  const folder = env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config')
  const path = join(folder, 'countersign', 'credentials.json')

  const read = (): Kept => {
    if (!existsSync(path)) return { current: null, servers: {} }
    // We wrote it ourselves; whoever changed it by hand is told when it cannot be read.
    return JSON.parse(readFileSync(path, 'utf8')) as Kept
  }
  const write = (kept: Kept): void => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const draft = `${path}.${process.pid}`
    writeFileSync(draft, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 })
    chmodSync(draft, 0o600)
    // In one step, so that a killed process leaves the old file or the new one.
    renameSync(draft, path)
  }

  return {
    path,
    /** The server commands speak to: named, told by the environment, or the one signed in to last. */
    server: (named: string | undefined): string | undefined => {
      const given = named ?? env['CSIGN_SERVER'] ?? read().current ?? undefined
      return given?.replace(/\/+$/, '')
    },
    /** An API token of the environment goes before a person's session. */
    tokenFor: (server: string): string | undefined => env['CSIGN_TOKEN'] || read().servers[server]?.token,
    keep: (server: string, login: Login): void => {
      const { servers } = read()
      write({ current: server, servers: { ...servers, [server]: login } })
    },
    forget: (server: string): void => {
      const { current, servers } = read()
      const { [server]: _, ...others } = servers
      write({ current: current === server ? null : current, servers: others })
    },
  }
}
