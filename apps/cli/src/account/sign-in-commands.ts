import { hostname } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { Command } from 'commander'
import { callServer, exits, Refused } from './call-server.ts'
import {
  type AccountSurroundings,
  exitHelp,
  openInBrowser,
  type ServerOptions,
  withConnection,
  withServer,
} from './surroundings.ts'

type Begun = {
  readonly state: string
  readonly verifier: string
  readonly user_code: string
  readonly page: string
  readonly expires_at: string
  readonly interval_seconds: number
}
type State = {
  readonly status: 'pending' | 'denied' | 'signed_in'
  readonly token?: string
  readonly expires_at?: string
  readonly email?: string
}
type LoginOptions = ServerOptions & { readonly browser: boolean; readonly keyring: boolean }

const loginHelp = `
What happens
  A page opens in your browser. Sign in there, compare the code it shows with the one printed here, and let this
  command line in. On a machine without a browser use --no-browser and open the printed page anywhere else.
  The session is kept in the system's keyring; where there is none, or with --no-keyring or CSIGN_NO_KEYRING=1, in
  ~/.config/countersign/credentials.json, which only you can read. countersign logout ends it.
${exitHelp}

Examples
  countersign login https://countersign.example.com
  countersign login https://countersign.example.com --no-browser`

/** `login`, `logout` and `whoami`. */
export function signInCommands(surroundings: AccountSurroundings): readonly Command[] {
  const { print, complain, openPage = openInBrowser, pause = wait } = surroundings

  const login = withServer(new Command('login'))
    .description('Sign this command line in, through your browser')
    .argument('[url]', 'the server')
    .option('--no-browser', 'print the page’s address instead of opening it')
    .option('--no-keyring', 'keep the session in a file only you can read, not in the system’s keyring')
    .addHelpText('after', loginHelp)
    .action((url: string | undefined, options: LoginOptions) =>
      withConnection(surroundings, { ...options, ...(url !== undefined && { server: url }) }, async (connected) => {
        const { server, credentials } = connected
        // Whatever session there was has no part in making another.
        const call = callServer(server, undefined)
        const begun = await call<Begun>('POST', '/cli-sign-ins', { device: hostname() })
        complain(`open ${begun.page}\n`)
        complain(`and let this command line in if the page shows ${begun.user_code}\n`)
        if (options.browser) openPage(begun.page)
        const done = await settled(
          () => completion(call, begun),
          () => pause(begun.interval_seconds * 1000),
        )
        const { token = '', email = '', expires_at: expiresAt = '' } = done
        const place = await credentials.keep(server, { token, email, expiresAt }, options)
        if (place.is === 'file') complain(`kept in ${credentials.path}, not in a keyring: ${place.why}\n`)
        print(
          options.json
            ? `${JSON.stringify({ server, email, expires_at: expiresAt, kept_in: place.is })}\n`
            : `Signed in as ${email}.\n`,
        )
      }),
    )

  const logout = withServer(new Command('logout'))
    .description('End this command line’s session, here and on the server')
    .addHelpText(
      'after',
      `${exitHelp}

Example
  countersign logout --server https://countersign.example.com`,
    )
    .action((options: ServerOptions) =>
      withConnection(surroundings, options, async ({ server, call, credentials }) => {
        // Forgotten here even when the server cannot be told; it says so then.
        try {
          await call('DELETE', '/session')
        } finally {
          await credentials.forget(server)
        }
        print(options.json ? `${JSON.stringify({ server })}\n` : `Signed out of ${server}.\n`)
      }),
    )

  const whoami = withServer(new Command('whoami'))
    .description('Tell who is signed in, and what they may do')
    .addHelpText(
      'after',
      `${exitHelp}

Example
  countersign whoami --json`,
    )
    .action((options: ServerOptions) =>
      withConnection(surroundings, options, async ({ server, call }) => {
        const session = await call<{ person: { email: string; role: string }; permissions: string[] }>(
          'GET',
          '/session',
        )
        const { person, permissions } = session
        if (options.json) print(`${JSON.stringify({ server, person, permissions })}\n`)
        else print(`${person.email} on ${server}\nroles: ${person.role}\n${permissions.sort().join('\n')}\n`)
      }),
    )

  return [login, logout, whoami]
}

type Call = ReturnType<typeof callServer>

function completion(call: Call, { state, verifier }: Begun): Promise<State> {
  return call<State>('POST', '/cli-sign-ins/completion', { state, verifier })
}

/** Asks until somebody has decided. What waits on the server ends by itself, so this does too. */
async function settled(ask: () => Promise<State>, pause: () => Promise<unknown>): Promise<State> {
  for (;;) {
    const state = await ask()
    if (state.status === 'signed_in') return state
    if (state.status === 'denied') throw new Refused('You were turned away in the browser.', exits.denied)
    await pause()
  }
}
