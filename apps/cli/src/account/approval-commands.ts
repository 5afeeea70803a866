import { Command } from 'commander'
import { type HeldCall, type HeldCallInFull, heldCallLine, heldCallText, settledWords } from './approval-text.ts'
import { exits, Refused } from './call-server.ts'
import {
  type AccountSurroundings,
  exitHelp,
  openInBrowser,
  type ServerOptions,
  withConnection,
  withFactor,
  withServer,
} from './surroundings.ts'

type DecideOptions = ServerOptions & { readonly reason?: string; readonly yes?: boolean; readonly browser: boolean }
type ListOptions = ServerOptions & { readonly status: string; readonly environment?: string; readonly limit: string }

const decideHelp = (verb: string): string => `
What happens
  The held call is shown: the tool, who asks with which key, what it says, the rule that held it, the arguments and the
  digest your decision is bound to. Then you are asked; --yes does not ask, for scripts. If policy wants a fresh proof, you
  are asked for a code of your second factor. If it wants a countersignature, the page opens where you sign with your
  passkey: a terminal cannot, and the exit code is 5.
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
      .addHelpText('after', decideHelp(name))
      .action((id: string, options: DecideOptions) =>
        withConnection(surroundings, options, async ({ server, call }) => {
          const held = await call<HeldCallInFull>('GET', `/approvals/${encodeURIComponent(id)}`)
          if (held.status !== 'pending') throw new Refused(settledWords(held), exits.refused)
          if (!options.json) print(heldCallText(held))
          if (held.deciders?.obstacle != null) complain(`${held.deciders.obstacle}\n`)
          if (held.policy.proof === 'countersignature') return countersign(server, held, options)
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

  const countersign = (server: string, { id }: HeldCall, { json, browser }: DecideOptions): void => {
    const page = `${server}/approvals/${id}`
    if (json) print(`${JSON.stringify({ id, status: 'pending', needs: 'countersignature', page })}\n`)
    if (browser) openPage(page)
    throw new Refused(
      `Policy wants this signed with a passkey. ${browser ? 'The page opens' : 'Open it'}: ${page}`,
      exits.factorNeeded,
    )
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
