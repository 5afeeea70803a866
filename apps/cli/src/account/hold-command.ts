import { Command } from 'commander'
import { exits, Refused } from './call-server.ts'
import {
  type AccountSurroundings,
  exitHelp,
  type ServerOptions,
  withConnection,
  withFactor,
  withServer,
} from './surroundings.ts'

type Hold = {
  readonly id: string
  readonly reason: string
  readonly from: string | null
  readonly until: string | null
  readonly placed_at: string
  readonly placed_by: { readonly name: string | null }
  readonly lifted_at: string | null
}
type PlaceOptions = ServerOptions & { readonly reason: string; readonly from?: string; readonly until?: string }

const help = `
A hold keeps entries of the trail, whatever their age, until somebody lifts it. It is recorded, and needs trail:manage.
${exitHelp}

Examples
  countersign trail hold place --reason "Case 17" --from 2026-01-01 --until 2026-04-01    the end is not held
  countersign trail hold list
  countersign trail hold lift 0190f5a0-0000-7000-9000-000000000001 --yes`

/** `trail hold place|list|lift`. */
export function holdCommand(surroundings: AccountSurroundings): Command {
  const { print, complain, ask } = surroundings
  const hold = new Command('hold').description('Legal holds: place, list, lift').exitOverride()
  const show = (one: Hold, { json }: ServerOptions): void => print(json ? `${JSON.stringify(one)}\n` : lineOf(one))

  withServer(hold.command('place'))
    .description('Keep entries of a time, or all, from being removed')
    .requiredOption('--reason <text>', 'the case, or who asked for it; recorded for ever, so no names of people')
    .option('--from <time>', 'the first moment that is held (default: the beginning)')
    .option('--until <time>', 'the first moment that is not held any more (default: none)')
    .addHelpText('after', help)
    .action((options: PlaceOptions) =>
      withConnection(surroundings, options, async ({ call }) => {
        const body = { reason: options.reason, from: momentOf(options.from), until: momentOf(options.until) }
        show(await call<Hold>('POST', '/trail/holds', body), options)
      }),
    )

  withServer(hold.command('list'))
    .description('List holds, those that stand first')
    .addHelpText('after', help)
    .action((options: ServerOptions) =>
      withConnection(surroundings, options, async ({ call }) => {
        const { items } = await call<{ items: readonly Hold[] }>('GET', '/trail/holds')
        if (options.json) return print(`${JSON.stringify({ items })}\n`)
        for (const one of items) print(lineOf(one))
        if (items.length === 0) complain('nothing is held\n')
      }),
    )

  withFactor(hold.command('lift'))
    .description('Lift a hold: what it kept and has expired may be removed from then on')
    .argument('<id>', 'its id')
    .option('--yes', 'do not ask')
    .addHelpText('after', help)
    .action((id: string, options: ServerOptions & { readonly yes?: boolean }) =>
      withConnection(surroundings, options, async ({ call }) => {
        if (!options.yes) {
          const typed = await ask?.(
            `What it keeps and has expired may be removed within minutes. Type ${id} to lift it: `,
          )
          if (typed?.trim() !== id)
            throw new Refused('It was not lifted. Confirm with its id, or give --yes.', exits.refused)
        }
        show(await call<Hold>('POST', `/trail/holds/${encodeURIComponent(id)}/lift`, { confirm: id }), options)
      }),
    )
  return hold
}

function momentOf(text: string | undefined): string | null {
  if (text === undefined) return null
  const at = Date.parse(text)
  if (!Number.isNaN(at)) return new Date(at).toISOString()
  throw new Refused(`${text} is no time. Write it like 2026-01-31 or 2026-01-31T12:00:00Z.`, exits.unreachable)
}

function lineOf({ id, reason, from, until, placed_at: at, placed_by: by, lifted_at: lifted }: Hold): string {
  const when = `${from ?? 'the beginning'} to ${until ?? 'no end'}`
  const state = lifted === null ? 'stands' : `lifted ${lifted}`
  return `${[id, state, when, `placed ${at}${by.name === null ? '' : ` by ${by.name}`}`, reason].join('\t')}\n`
}
