#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { signInCommands } from './account/sign-in-commands.ts'
import { tokenCommand } from './account/token-command.ts'
import { rulesCommand } from './rules/rules-command.ts'
import { tenantsCommand } from './tenants/tenants-command.ts'
import { trailCommand } from './trail/trail-command.ts'
import { verifyCommand } from './verify/verify-command.ts'

// The server reads it too: what is set for the one holds for the other.
if (existsSync('.env')) process.loadEnvFile('.env')

const surroundings = {
  env: process.env,
  print: (text: string) => void process.stdout.write(text),
  complain: (text: string) => void process.stderr.write(`countersign: ${text}`),
  fail: () => void (process.exitCode = 1),
  exitWith: (code: number) => void (process.exitCode = code),
}

const program = new Command('countersign')
  .description(
    'Stands between whoever acts and the production they act on. These commands look after rulesets and a server.',
  )
  .addCommand(rulesCommand(surroundings))
  .addCommand(trailCommand(surroundings))
  .addCommand(tenantsCommand(surroundings))
  .addCommand(verifyCommand(surroundings))
  .addCommand(tokenCommand(surroundings))
  .showHelpAfterError()
  .exitOverride()

for (const command of signInCommands(surroundings)) program.addCommand(command)

try {
  await program.parseAsync()
} catch (cause) {
  process.exitCode = failed(cause)
}

/** Commander has already said what is wrong with the arguments; everything else is said here, in one line. */
function failed(cause: unknown): number {
  if (cause instanceof Error && 'exitCode' in cause) return cause.exitCode === 0 ? 0 : 2
  surroundings.complain(`${cause instanceof Error ? cause.message : String(cause)}\n`)
  return 2
}
