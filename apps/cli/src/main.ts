#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { inWords } from './in-words.ts'
import { makeProgram } from './program.ts'

// The server reads it too: what is set for the one holds for the other.
if (existsSync('.env')) process.loadEnvFile('.env')

const surroundings = {
  env: process.env,
  print: (text: string) => void process.stdout.write(text),
  complain: (text: string) => void process.stderr.write(`countersign: ${text}`),
  fail: () => void (process.exitCode = 1),
  exitWith: (code: number) => void (process.exitCode = code),
  ask: askAtTerminal,
}

try {
  await makeProgram(surroundings).parseAsync()
} catch (cause) {
  process.exitCode = failed(cause)
}

/** Commander has already said what is wrong with the arguments; everything else is said here, in one line. */
function failed(cause: unknown): number {
  if (cause instanceof Error && 'exitCode' in cause) return cause.exitCode === 0 ? 0 : 2
  surroundings.complain(`${inWords(cause)}\n`)
  return 2
}

/** On standard error, so that what is printed for another program stays clean. Nothing when no person is there. */
async function askAtTerminal(question: string): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const closed = new Promise<undefined>((resolve) => {
    terminal.once('close', () => {
      resolve(undefined)
    })
  })
  try {
    return await Promise.race([terminal.question(question), closed])
  } finally {
    terminal.close()
  }
}
