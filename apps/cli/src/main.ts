#!/usr/bin/env node
import { Command } from 'commander'
import { trailCommand } from './trail/trail-command.ts'

const program = new Command('countersign')
  .description('Stands between whoever acts and the production they act on. These commands look after a server.')
  .addCommand(
    trailCommand({
      env: process.env,
      print: (text) => void process.stdout.write(text),
      fail: () => void (process.exitCode = 1),
    }),
  )
  .showHelpAfterError()
  .exitOverride()

try {
  await program.parseAsync()
} catch (cause) {
  process.exitCode = failed(cause)
}

/** Commander has already said what is wrong with the arguments; everything else is said here, in one line. */
function failed(cause: unknown): number {
  if (cause instanceof Error && 'exitCode' in cause) return cause.exitCode === 0 ? 0 : 2
  process.stderr.write(`countersign: ${cause instanceof Error ? cause.message : String(cause)}\n`)
  return 2
}
