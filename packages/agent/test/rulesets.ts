import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { AgentEvent } from '../src/index.ts'

/** A ruleset of these rules, in the words of the newer dialect. */
export function rulesetOf(name: string, rules: string, mode: 'enforce' | 'observe' = 'enforce'): string {
  return `apiVersion: edictum/v1
kind: Ruleset
metadata:
  name: ${name}
defaults:
  mode: ${mode}
tools:
  read_invoice:
    side_effect: read
    idempotent: true
  send_mail:
    side_effect: write
    idempotent: false
rules:
${rules}`
}

export const noSecrets = `  - id: no-secrets
    type: pre
    tool: read_file
    when:
      args.path: { contains: .env }
    then:
      action: block
      message: "Secrets stay where they are: {args.path}"
`

export const askForMail = `  - id: ask-for-mail
    type: pre
    tool: send_mail
    when:
      args.to: { exists: true }
    then:
      action: ask
      message: "May a mail go to {args.to}?"
      timeout: 300
      timeout_action: block
`

/** Withholds what a tool answered. */
export const noKeysOut = `  - id: no-keys-out
    type: post
    tool: read_invoice
    when:
      output.text: { contains: "sk-" }
    then: { action: block, message: The output holds a key. }
`

/** A folder that is gone when the test is over. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-agent-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export async function rulesetFile(text: string): Promise<string> {
  const file = join(await temporaryFolder(), 'rules.yaml')
  await writeFile(file, text)
  return file
}

/** What was reported, shortly: action and rule. */
export function told(events: readonly AgentEvent[]): string[] {
  return events.map(({ action, decision_name }) =>
    decision_name === undefined ? action : `${action} ${String(decision_name)}`,
  )
}
