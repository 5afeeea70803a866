import { Command } from 'commander'
import { type HeldCall, type HeldCallInFull, heldCallLine, heldCallText, settledWords } from './approval-text.ts'
import { type CallServer, exits, Refused } from './call-server.ts'
import {
  type AccountSurroundings,
  type Connected,
  exitHelp,
  openInBrowser,
  type ServerOptions,
  withConnection,
  withFactor,
  withServer,
} from './surroundings.ts'

/** Below what call-server waits for an answer. */
const waitSeconds = 20

type DecideOptions = ServerOptions & {
  readonly reason?: string
  readonly yes?: boolean
  readonly browser: boolean
  readonly wait: boolean
}
type ListOptions = ServerOptions & { readonly status: string; readonly environment?: string; readonly limit: string }

const decideHelp = (verb: string): string => `
What happens
  The held call is shown: the tool, who asks with which key, what it says, the rule that held it, the arguments and the
  digest your decision is bound to. Then you are asked; --yes does not ask, for scripts. If policy wants a fresh proof, you
  are asked for a code of your second factor. If it wants a countersignature, the page opens where you sign with your
  passkey, since a terminal cannot; this command waits until the call is decided, and tells how. With --no-wait it prints the
  page's address and ends with exit code 5. Ctrl-C ends the waiting alone: the call stays held.
${exitHelp}

Examples
  countersign approvals list
  countersign ${verb} 0198c0de-0000-7000-8000-000000000001
  countersign ${verb} 0198c0de-0000-7000-8000-000000000001 --yes --json --reason "checked with Ada"`

const listHelp = `
What is listed
  One held call a line, its fields set apart by tabs: id, status, environment, agent, tool, deadline, message. Pending ones
  come soonest deadline first, all else newest first.
${exitHelp}

Examples
  countersign approvals list
  countersign approvals list --status settled --environment production --json`

/** `approvals list`, `approve` and `deny`. */
export function approvalCommands(surroundings: AccountSurroundings): readonly Command[] {
  const { print, complain, ask, openPage = openInBrowser } = surroundings

  const approvals = new Command('approvals').description('Held calls that wait for a human: list them').exitOverride()
  withServer(approvals.command('list'))
    .description('List held calls')
    .option(
      '--status <name>',
      'pending, approved, denied, timed_out, cancelled, or settled for all but pending',
      'pending',
    )
    .option('--environment <name>', 'only of this environment')
    .option('--limit <n>', 'how many at most', '50')
    .addHelpText('after', listHelp)
    .action((options: ListOptions) =>
      withConnection(surroundings, options, async ({ call }) => {
        const query = new URLSearchParams({ status: options.status, limit: options.limit })
        if (options.environment !== undefined) query.set('environment', options.environment)
        const list = await call<{ items: readonly HeldCall[]; total: number }>('GET', `/approvals?${query}`)
        if (options.json) return print(`${JSON.stringify(list)}\n`)
        for (const one of list.items) print(`${heldCallLine(one)}\n`)
        const left = list.total - list.items.length
        if (list.items.length === 0) complain('there are none\n')
        else if (left > 0) complain(`there are ${left} more; --limit shows them\n`)
      }),
    )

  const decision = (name: 'approve' | 'deny', does: string): Command =>
    withFactor(new Command(name))
      .description(does)
      .argument('<id>', 'of the held call, as approvals list shows it')
      .option('--reason <text>', 'why; the agent is told, and it is kept in the record')
      .option('--yes', 'do not ask')
      .option('--no-browser', 'print the address of a page instead of opening it')
      .option('--no-wait', 'do not wait for a decision that is made on that page')
      .addHelpText('after', decideHelp(name))
      .action((id: string, options: DecideOptions) =>
        withConnection(surroundings, options, async ({ server, call }) => {
          const held = await call<HeldCallInFull>('GET', `/approvals/${encodeURIComponent(id)}`)
          if (held.status !== 'pending') throw new Refused(settledWords(held), exits.refused)
          if (!options.json) print(heldCallText(held))
          if (held.deciders?.obstacle != null) complain(`${held.deciders.obstacle}\n`)
          // Nobody waits for a page on which they could decide nothing.
          if (held.deciders?.you_may === 'nothing')
            throw new Refused(
              'This needs the permission approval:decide there, which none of your roles gives.',
              exits.denied,
            )
          if (held.policy.proof === 'countersignature') return countersign({ server, call }, held, options)
          await confirmed(name, options)
          const settled = await call<HeldCall>('POST', `/approvals/${encodeURIComponent(id)}/decision`, {
            approve: name === 'approve',
            ...(options.reason !== undefined && { reason: options.reason }),
          })
          print(options.json ? `${JSON.stringify(settled)}\n` : outcomeText(settled))
        }),
      )

  const confirmed = async (name: string, { yes }: DecideOptions): Promise<void> => {
    if (yes) return
    const answer = await ask?.(`${name === 'approve' ? 'Approve' : 'Deny'} this call? Type yes: `)
    if (answer === undefined)
      throw new Refused('Nobody sits at this terminal to be asked; say --yes if you mean it.', exits.unreachable)
    if (answer.trim().toLowerCase() !== 'yes') throw new Refused('Nothing was decided.', exits.refused)
  }

  /** A passkey signs in a browser alone; what comes of it is told here. */
  const countersign = async (
    { server, call }: Pick<Connected, 'server' | 'call'>,
    { id }: HeldCall,
    { json, browser, wait }: DecideOptions,
  ): Promise<void> => {
    const page = `${server}/approvals/${id}`
    if (json && !wait) print(`${JSON.stringify({ id, status: 'pending', needs: 'countersignature', page })}\n`)
    if (browser) openPage(page)
    const words = `Policy wants this signed with a passkey. ${browser ? 'The page opens' : 'Open it'}: ${page}`
    if (!wait) throw new Refused(words, exits.factorNeeded)
    complain(`${words}\nWaiting for the decision …\n`)
    const { person } = await call<{ person: { email: string } }>('GET', '/session')
    const seen = await untilDecided(call, id, person.email)
    print(json ? `${JSON.stringify(seen)}\n` : signedText(seen))
    // Whoever ran this wanted it decided: a script must not take what ran out for a decision.
    if (seen.status === 'timed_out' || seen.status === 'cancelled')
      throw new Refused('Nothing was decided.', exits.refused)
  }

  return [
    approvals,
    decision('approve', 'Approve a held call, after it was shown'),
    decision('deny', 'Deny a held call, after it was shown'),
  ]
}

function outcomeText(settled: HeldCall): string {
  if (settled.status === 'approved') return 'Approved.\n'
  if (settled.status === 'denied') return 'Denied.\n'
  return settled.status === 'pending'
    ? 'Your approval counts. Somebody else is needed as well before the call goes on.\n'
    : `${settledWords(settled)}\n`
}

/** As it is once it is settled, or once this person has approved and somebody else is needed as well. */
async function untilDecided(call: CallServer, id: string, email: string): Promise<HeldCallInFull> {
  for (;;) {
    const seen = await call<HeldCallInFull>('GET', `/approvals/${id}?wait=${waitSeconds}`)
    if (seen.status !== 'pending' || seen.votes.some(({ by }) => by.label === email)) return seen
  }
}

function signedText(seen: HeldCallInFull): string {
  return seen.status === 'pending' ? outcomeText(seen) : `${settledWords(seen)}\n`
}
