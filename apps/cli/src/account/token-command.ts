import { Command } from 'commander'
import type { CallServer } from './call-server.ts'
import { exits, Refused } from './call-server.ts'
import {
  type AccountSurroundings,
  exitHelp,
  type ServerOptions,
  withConnection,
  withFactor,
  withServer,
} from './surroundings.ts'

type Token = {
  readonly id: string
  readonly name: string
  readonly prefix: string
  readonly status: string
  readonly permissions: readonly string[]
  readonly environments: readonly string[] | null
  readonly expires_at: string | null
  readonly last_used_at: string | null
}
type Made = Token & { readonly token: string }
type CreateOptions = ServerOptions & {
  readonly role?: string
  readonly permission: readonly string[]
  readonly environment: readonly string[]
  readonly days?: string
}
type RotateOptions = ServerOptions & { readonly overlapHours?: string; readonly days?: string }

const createHelp = `
What is made
  A token for a machine, with permissions of its own: never more than you hold, never yours as such. It is printed
  once, alone on standard output, so that it can be piped to where it belongs. Somebody with a second factor is asked
  for its code, which --mfa-code or COUNTERSIGN_MFA_CODE can give instead.
${exitHelp}

Examples
  countersign token create ci --role cicd --environment staging --days 90
  countersign token create metrics --permission fleet:read --permission events:read | gh secret set CSIGN_TOKEN`

/** API tokens of machines: list, create, rotate, revoke. */
export function tokenCommand(surroundings: AccountSurroundings): Command {
  const { print, complain } = surroundings
  const gather = (value: string, before: readonly string[]): readonly string[] => [...before, value]
  const token = new Command('token').description('API tokens of machines: list, create, rotate, revoke').exitOverride()

  withServer(token.command('list'))
    .description('List API tokens')
    .addHelpText(
      'after',
      `${exitHelp}

Example
  countersign token list --json`,
    )
    .action((options: ServerOptions) =>
      withConnection(surroundings, options, async ({ call }) => {
        const { items } = await call<{ items: readonly Token[] }>('GET', '/tokens')
        if (options.json) return print(`${JSON.stringify({ items })}\n`)
        for (const one of items) print(`${lineOf(one)}\n`)
        if (items.length === 0) complain('there are no API tokens\n')
      }),
    )

  withFactor(token.command('create'))
    .description('Make an API token and print it, this once')
    .argument('<name>', 'what it is for')
    .option('--role <name>', 'copy the permissions of a role')
    .option('--permission <name>', 'a permission; may be repeated', gather, [])
    .option('--environment <name>', 'where it may act; may be repeated (default: everywhere)', gather, [])
    .option('--days <n>', 'how long it lives (default: the longest that is allowed)')
    .addHelpText('after', createHelp)
    .action((name: string, options: CreateOptions) =>
      withConnection(surroundings, options, async ({ call }) => {
        const made = await call<Made>('POST', '/tokens', {
          name,
          ...(options.role !== undefined && { role: options.role }),
          ...(options.permission.length > 0 && { permissions: options.permission }),
          ...(options.environment.length > 0 && { environments: options.environment }),
          ...endIn(options.days),
        })
        show(made, options)
      }),
    )

  withFactor(token.command('rotate'))
    .description('Replace a token’s text and print the new one; the old one works for a while')
    .argument('<name>', 'its name or id')
    .option('--overlap-hours <n>', 'how long the old one still works (default: 24)')
    .option('--days <n>', 'how long the token lives from now')
    .addHelpText(
      'after',
      `${exitHelp}

Example
  countersign token rotate ci --overlap-hours 1 | gh secret set CSIGN_TOKEN`,
    )
    .action((name: string, options: RotateOptions) =>
      withConnection(surroundings, options, async ({ call }) => {
        const { id } = await found(call, name)
        const overlap = options.overlapHours === undefined ? {} : { overlap_hours: wholeNumber(options.overlapHours) }
        show(await call<Made>('POST', `/tokens/${id}/rotation`, { ...overlap, ...endIn(options.days) }), options)
      }),
    )

  withServer(token.command('revoke'))
    .description('Revoke a token; its next request is refused')
    .argument('<name>', 'its name or id')
    .addHelpText(
      'after',
      `${exitHelp}

Example
  countersign token revoke ci`,
    )
    .action((name: string, options: ServerOptions) =>
      withConnection(surroundings, options, async ({ call }) => {
        const { id } = await found(call, name)
        const revoked = await call<Token>('POST', `/tokens/${id}/revocation`)
        print(options.json ? `${JSON.stringify(revoked)}\n` : `Revoked ${revoked.name}.\n`)
      }),
    )

  function show(made: Made, { json }: ServerOptions): void {
    if (json) return print(`${JSON.stringify(made)}\n`)
    complain(`${made.name}, ${made.expires_at === null ? 'without an end' : `until ${made.expires_at}`}\n`)
    print(`${made.token}\n`)
  }

  return token
}

async function found(call: CallServer, name: string): Promise<Token> {
  const { items } = await call<{ items: readonly Token[] }>('GET', '/tokens')
  const one = items.find((token) => token.id === name || token.name === name)
  if (!one) throw new Refused(`There is no API token ${name}.`, exits.refused)
  return one
}

function endIn(days: string | undefined): { readonly expires_at?: string } {
  if (days === undefined) return {}
  return { expires_at: new Date(Date.now() + wholeNumber(days) * 86_400_000).toISOString() }
}

function wholeNumber(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new Refused(`${text} is not a whole number.`, exits.unreachable)
  return Number(text)
}

function lineOf({
  name,
  prefix,
  status,
  permissions,
  environments,
  expires_at: end,
  last_used_at: used,
}: Token): string {
  const where = environments === null ? 'everywhere' : environments.join(',')
  return [name, `${prefix}…`, status, where, end ?? 'no end', used ?? 'never used', permissions.join(',')].join('\t')
}
