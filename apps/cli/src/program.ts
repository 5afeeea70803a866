import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { approvalCommands } from './account/approval-commands.ts'
import { eraseCommand } from './account/erase-command.ts'
import { holdCommand } from './account/hold-command.ts'
import { signInCommands } from './account/sign-in-commands.ts'
import type { AccountSurroundings } from './account/surroundings.ts'
import { tokenCommand } from './account/token-command.ts'
import { completionCommand } from './completion/completion-command.ts'
import { peopleCommand } from './people/people-command.ts'
import { rulesCommand } from './rules/rules-command.ts'
import { secretsCommand } from './secrets/secrets-command.ts'
import { tenantsCommand } from './tenants/tenants-command.ts'
import { trailCommand } from './trail/trail-command.ts'
import { verifyCommand } from './verify/verify-command.ts'

type Surroundings = AccountSurroundings & { readonly fail: () => void }

const help = `
Where to begin
  countersign login https://countersign.example.com   sign in through your browser
  countersign approvals list                          what waits for a human
  countersign approve ID                              look at it, and let it go on
  countersign token create ci --role cicd             a token for a machine
  countersign rules check rulesets/*.yaml             the same checks the server makes, without a server
  countersign trail verify …                          whether the record is whole (countersign trail verify --help)

Every command says more with --help: what happens, its exit codes, and examples. Those that speak to a server take --json.`

/** Every command there is. */
export function makeProgram(surroundings: Surroundings): Command {
  const program = new Command('countersign')
    .description(
      'Stands between whoever acts and the production they act on. These commands decide held calls, and look after rulesets, tokens, the trail and a server.',
    )
    .version(ownVersion(), '-V, --version', 'print which release this is')
    .addHelpText('after', help)
    .showHelpAfterError()
    .exitOverride()
  const commands = [
    ...signInCommands(surroundings),
    ...approvalCommands(surroundings),
    tokenCommand(surroundings),
    rulesCommand(surroundings),
    trailCommand(surroundings).addCommand(eraseCommand(surroundings)).addCommand(holdCommand(surroundings)),
    verifyCommand(surroundings),
    tenantsCommand(surroundings),
    peopleCommand(surroundings),
    secretsCommand(surroundings),
    completionCommand(surroundings, () => program),
  ]
  for (const command of commands) program.addCommand(command)
  explainGroups(program, [])
  return program
}

/** The first thing somebody wants of each group. */
const groupExamples: Readonly<Record<string, string>> = {
  approvals: 'countersign approvals list',
  token: 'countersign token create ci --role cicd --days 90',
  rules: 'countersign rules check rulesets/*.yaml',
  trail: 'countersign trail verify --export trail.jsonl',
  'trail anchors': 'countersign trail anchors list',
  'trail hold': 'countersign trail hold list',
  verify: 'countersign verify approval --help',
  tenants: 'countersign tenants list',
  people: 'countersign people recover --help',
  secrets: 'countersign secrets reseal --dry-run',
}

function explainGroups(parent: Command, path: readonly string[]): void {
  for (const command of parent.commands) {
    const names = [...path, command.name()]
    if (command.commands.length === 0) continue
    explainGroups(command, names)
    const example = groupExamples[names.join(' ')]
    // Some say it in words of their own.
    if (example === undefined) continue
    command.addHelpText(
      'after',
      `\nExit code\n  That of the command; each says its own with --help. 2 when there is no such command.\n\nExample\n  ${example}`,
    )
  }
}

/** One number for the whole product, as the server tells it too. */
function ownVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '?'
}
