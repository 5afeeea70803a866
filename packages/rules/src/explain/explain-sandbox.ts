import { asJson } from '../evaluate/call.ts'
import type { Address } from '../evaluate/domains.ts'
import { redactText } from '../evaluate/redact.ts'
import { addressesOf, commandOf, pathsOf, type SandboxChecks } from '../evaluate/sandbox.ts'
import { firstWord, type ShellCommand } from '../evaluate/shell-words.ts'
import type { SandboxRule } from '../model.ts'
import type { SandboxFinding } from './explanation.ts'
import { cut, quoted } from './in-words.ts'
import type { KnownMaterials } from './judge-sandbox.ts'

const findingsMax = 100

/** Everything a sandbox looks at in a call. May throw what the host's path resolver throws. */
export function explainSandbox(
  rule: SandboxRule,
  { breaksPath, breaksCommand, breaksAddress }: SandboxChecks,
  materials: KnownMaterials,
): readonly SandboxFinding[] {
  const findings: SandboxFinding[] = []
  const { known } = materials
  if (breaksPath) {
    const { hasBad, forms } = pathsOf(known)
    if (hasBad) findings.push(badPath)
    for (const form of forms.slice(0, findingsMax)) findings.push(pathFinding(form, breaksPath(form), rule))
    if (materials.mayHidePath) findings.push(hidden('path'))
  }
  const command = commandOf(known)
  if (command) findings.push(commandFinding(command, breaksCommand(command), rule))
  if (materials.mayHideCommand) findings.push(hiddenCommand(materials.hidesUnanalysable))
  if (breaksAddress) {
    for (const address of addressesOf(known).slice(0, findingsMax)) {
      if (address.is !== 'file') findings.push(addressFinding(address, breaksAddress(address), rule))
    }
    if (materials.mayHideAddress) findings.push(hidden('address'))
  }
  return findings
}

const badPath: SandboxFinding = {
  is: 'path',
  subject: '',
  outcome: 'outside',
  words: 'a path holds control characters or cannot be followed',
}

function pathFinding(form: string, isOutside: boolean, { within, notWithin }: SandboxRule): SandboxFinding {
  const subject = shown(form)
  const words = isOutside
    ? `the path ${quoted(subject)} is not within ${list(within)}${notWithin.length > 0 ? `, or is within ${list(notWithin)}` : ''}`
    : `the path ${quoted(subject)} is within ${list(within)}`
  return { is: 'path', subject, outcome: isOutside ? 'outside' : 'inside', words }
}

function commandFinding(command: ShellCommand, isOutside: boolean, { allowedCommands }: SandboxRule): SandboxFinding {
  const subject = shown(firstWord(command))
  const words = command.isUnanalysable
    ? 'the command chains, substitutes or redirects, so what it would run cannot be told from its text'
    : isOutside
      ? `the command ${quoted(subject)} is none of ${list(allowedCommands)}`
      : `the command ${quoted(subject)} is allowed`
  return { is: 'command', subject, outcome: isOutside ? 'outside' : 'inside', words }
}

function addressFinding(
  address: Exclude<Address, { is: 'file' }>,
  isOutside: boolean,
  { allowedDomains, blockedDomains }: SandboxRule,
): SandboxFinding {
  const subject = address.is === 'host' ? shown(address.host) : ''
  const outcome = isOutside ? 'outside' : 'inside'
  if (address.is === 'unknown') return { is: 'address', subject, outcome, words: 'an address has no readable host' }
  const bounds = [
    ...(allowedDomains ? [`is none of ${list(allowedDomains)}`] : []),
    ...(blockedDomains.length > 0 ? [`is one of ${list(blockedDomains)}`] : []),
  ]
  const words = `the host ${quoted(subject)} ${isOutside ? bounds.join(' or ') : 'is allowed'}`
  return { is: 'address', subject, outcome, words }
}

function hidden(is: SandboxFinding['is']): SandboxFinding {
  return {
    is,
    subject: '',
    outcome: 'unknown',
    words: `a hidden argument may hold ${is === 'path' ? 'a path' : 'an address'}`,
  }
}

function hiddenCommand(isOutside: boolean): SandboxFinding {
  const words = isOutside
    ? 'the command is cut, and what is left of it already does more than one thing'
    : 'the command is hidden'
  return { is: 'command', subject: '', outcome: isOutside ? 'outside' : 'unknown', words }
}

function shown(text: string): string {
  return cut(redactText(text), 200)
}

function list(texts: readonly string[] | undefined): string {
  const all = texts ?? []
  const few = all.slice(0, 5).map((text) => asJson(text))
  return all.length > few.length ? `${few.join(', ')} and ${all.length - few.length} more` : few.join(', ')
}
