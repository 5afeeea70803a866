import type { Command } from 'commander'
import { type CallServer, callServer, exits, Refused } from './call-server.ts'
import { type Credentials, credentialsIn } from './credentials.ts'

/** What these commands see of the shell they run in. */
export type AccountSurroundings = {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly print: (text: string) => void
  readonly complain: (text: string) => void
  readonly exitWith: (code: number) => void
}

export type ServerOptions = { readonly server?: string; readonly json?: boolean }

export function withServer(command: Command): Command {
  return command
    .exitOverride()
    .option('--server <url>', 'the server (default: CSIGN_SERVER, or the one signed in to last)')
    .option('--json', 'print one JSON object')
}

export type Connected = { readonly server: string; readonly call: CallServer; readonly credentials: Credentials }

/** Runs a command against a server; a no becomes its exit code and one line that says why. */
export async function withConnection(
  { env, complain, exitWith }: AccountSurroundings,
  options: ServerOptions,
  work: (connected: Connected) => Promise<void>,
): Promise<void> {
  try {
    const credentials = credentialsIn(env)
    const server = credentials.server(options.server)
    if (server === undefined)
      throw new Refused('Which server? Name it with --server, or sign in with countersign login.', exits.notSignedIn)
    await work({ server, call: callServer(server, credentials.tokenFor(server)), credentials })
  } catch (cause) {
    if (!(cause instanceof Refused)) throw cause
    complain(`${cause.message}\n`)
    exitWith(cause.exit)
  }
}

export const exitHelp = `
Exit code
  0 done · 1 refused · 2 the server does not answer, or the arguments are wrong · 3 not signed in ·
  4 not permitted · 5 a second factor is needed`
