import { spawn } from 'node:child_process'
import type { Command } from 'commander'
import { type AskCode, type CallServer, callServer, exits, Refused } from './call-server.ts'
import { type Credentials, credentialsIn } from './credentials.ts'
import { type Keyring, systemKeyring } from './keyring.ts'

/** What these commands see of the shell they run in. */
export type AccountSurroundings = {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly print: (text: string) => void
  readonly complain: (text: string) => void
  readonly exitWith: (code: number) => void
  /** Asks whoever sits at the terminal; absent, or answering nothing, when nobody does. */
  readonly ask?: (question: string) => Promise<string | undefined>
  readonly openPage?: (address: string) => void
  readonly openKeyring?: () => Promise<Keyring>
  readonly pause?: (milliseconds: number) => Promise<unknown>
}

export type ServerOptions = { readonly server?: string; readonly json?: boolean; readonly mfaCode?: string }

export function withServer(command: Command): Command {
  return command
    .exitOverride()
    .option('--server <url>', 'the server (default: CSIGN_SERVER, or the one signed in to last)')
    .option('--json', 'print one JSON object')
}

/** For what may need a second factor. */
export function withFactor(command: Command): Command {
  return withServer(command).option(
    '--mfa-code <code>',
    'code of a second factor, if one is needed (default: COUNTERSIGN_MFA_CODE, or asked for)',
  )
}

export type Connected = { readonly server: string; readonly call: CallServer; readonly credentials: Credentials }

/** Runs a command against a server; a no becomes its exit code and one line that says why. */
export async function withConnection(
  surroundings: AccountSurroundings,
  options: ServerOptions,
  work: (connected: Connected) => Promise<void>,
): Promise<void> {
  const { env, complain, exitWith, openKeyring = systemKeyring } = surroundings
  try {
    const credentials = credentialsIn(env, openKeyring)
    const server = credentials.server(options.server)
    if (server === undefined)
      throw new Refused('Which server? Name it with --server, or sign in with countersign login.', exits.notSignedIn)
    const askCode = codeFrom(surroundings, options)
    // Looked for when it is first needed: signing in must not fail for a session that cannot be found any more.
    const call: CallServer = async <Answer>(method: string, path: string, body?: unknown): Promise<Answer> =>
      callServer(server, await credentials.tokenFor(server), { askCode, remedy: credentials.remedy })<Answer>(
        method,
        path,
        body,
      )
    await work({ server, call, credentials })
  } catch (cause) {
    if (!(cause instanceof Refused)) throw cause
    complain(`${cause.message}\n`)
    exitWith(cause.exit)
  }
}

/** A code works once, so a given one is given once. */
function codeFrom({ env, ask }: AccountSurroundings, { mfaCode }: ServerOptions): AskCode {
  let given = mfaCode ?? env['COUNTERSIGN_MFA_CODE']
  return async () => {
    if (given) {
      const code = given
      given = undefined
      return code
    }
    const typed = (await ask?.('Code of your second factor: '))?.trim()
    return typed === '' ? undefined : typed
  }
}

/** Whether it opens or not, its address was printed. */
export function openInBrowser(address: string): void {
  const [program, ...before] =
    process.platform === 'darwin' ? ['open'] : process.platform === 'win32' ? ['cmd', '/c', 'start', ''] : ['xdg-open']
  const child = spawn(program ?? 'xdg-open', [...before, address], { stdio: 'ignore', detached: true })
  child.on('error', () => undefined)
  child.unref()
}

export const exitHelp = `
Exit code
  0 done · 1 refused · 2 the server does not answer, or the arguments are wrong · 3 not signed in ·
  4 not permitted · 5 a second factor is needed`
