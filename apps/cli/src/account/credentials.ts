import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { exits, Refused } from './call-server.ts'
import type { Keyring } from './keyring.ts'

type Login = { readonly token: string; readonly email: string; readonly expiresAt: string }
/** Without a token it is in the keyring. */
type KeptLogin = Omit<Login, 'token'> & { readonly token?: string }
type Kept = { readonly current: string | null; readonly servers: Readonly<Record<string, KeptLogin>> }

export type Credentials = ReturnType<typeof credentialsIn>
type Env = Readonly<Record<string, string | undefined>>
type Place = { readonly is: 'keyring' } | { readonly is: 'file'; readonly why: string }

/** What was signed in to: the secret in the system's keyring where there is one, all else in a file of its owner's. */
export function credentialsIn(env: Env, openKeyring: () => Promise<Keyring>) {
  const folder = env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config')
  const path = join(folder, 'countersign', 'credentials.json')
  const takesKeyring = !env['CSIGN_NO_KEYRING']

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
  const intoKeyring = async (server: string, token: string): Promise<Place> => {
    try {
      const keyring = await openKeyring()
      keyring.set(server, token)
      return { is: 'keyring' }
    } catch (cause) {
      return { is: 'file', why: wordsOf(cause) }
    }
  }
  const fromKeyring = async (server: string): Promise<string> => {
    try {
      const found = (await openKeyring()).get(server)
      if (found !== undefined) return found
      throw new Error('nothing is kept there for this server')
    } catch (cause) {
      throw new Refused(
        `The session is in the system’s keyring, which does not give it out (${wordsOf(cause)}). Sign in again: countersign login ${server}, with --no-keyring to keep it in a file.`,
        exits.notSignedIn,
      )
    }
  }
  const outOfKeyring = async (server: string): Promise<void> => {
    // What cannot be removed was ended on the server, or is replaced.
    await openKeyring()
      .then((keyring) => {
        keyring.remove(server)
      })
      .catch(() => undefined)
  }

  return {
    path,
    /** The server commands speak to: named, told by the environment, or the one signed in to last. */
    server: (named: string | undefined): string | undefined => {
      const given = named ?? env['CSIGN_SERVER'] ?? read().current ?? undefined
      return given === undefined ? undefined : addressOf(given)
    },
    /** What to do when the server refuses what it is shown. */
    remedy: env['CSIGN_TOKEN']
      ? 'CSIGN_TOKEN is mistyped, ended or revoked: make another with countersign token create, or unset it.'
      : undefined,
    /** An API token of the environment goes before a person's session. */
    tokenFor: async (server: string): Promise<string | undefined> => {
      if (env['CSIGN_TOKEN']) return env['CSIGN_TOKEN']
      const login = read().servers[server]
      return login && (login.token ?? fromKeyring(server))
    },
    keep: async (server: string, login: Login, { keyring = true }: { readonly keyring?: boolean }): Promise<Place> => {
      const isWanted = takesKeyring && keyring
      const place: Place = isWanted ? await intoKeyring(server, login.token) : { is: 'file', why: 'as you wished' }
      const { token, ...rest } = login
      const { servers } = read()
      if (place.is === 'file' && servers[server] && servers[server].token === undefined) await outOfKeyring(server)
      write({ current: server, servers: { ...servers, [server]: place.is === 'keyring' ? rest : { ...rest, token } } })
      return place
    },
    forget: async (server: string): Promise<void> => {
      const { current, servers } = read()
      const { [server]: gone, ...others } = servers
      if (gone && gone.token === undefined) await outOfKeyring(server)
      write({ current: current === server ? null : current, servers: others })
    },
  }
}

/** Where the API is, without the slash at its end. */
function addressOf(given: string): string {
  const url = /^https?:\/\//i.test(given) ? URL.parse(given) : null
  if (url !== null) return given.replace(/\/+$/, '')
  const isHost = !given.includes('://') && URL.canParse(`http://${given}`)
  throw new Refused(
    `${JSON.stringify(given)} is no address of a server.${isHost ? ` Did you mean http://${given}, or https://${given}?` : ' Write it as https://countersign.example.com.'}`,
    exits.unreachable,
  )
}

function wordsOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
