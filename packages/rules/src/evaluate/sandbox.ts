import type { SandboxRule } from '../model.ts'
import { bashCommandOf, type Call, filePathOf, isList, own, type ResolvePath } from './call.ts'
import { type Address, addressesIn, tidyDomainPattern } from './domains.ts'
import { compileGlob } from './glob.ts'
import { type Boundary, boundaryOf, isInside, isPlainPath, lexicalPath, pathForms } from './paths.ts'
import { absoluteWords, firstWord, readCommand, type ShellCommand } from './shell-words.ts'

/** Where the rules are evaluated. Without `resolvePath` only the text of paths is known. */
export interface Host {
  readonly workingDirectory: string
  readonly resolvePath?: ResolvePath
}

/** What a sandbox looks at in a call: worked out once for all rules, and only when one asks. See the functions below. */
export interface Materials {
  readonly call: Call
  readonly host: Host
  /** Null when the call has no command. */
  command: ShellCommand | null | undefined
  paths: Paths | undefined
  addresses: readonly Address[] | undefined
}

export interface Paths {
  /** One of them cannot be read as a path. */
  readonly hasBad: boolean
  /** Every path in every reading of it. */
  readonly forms: readonly string[]
}

export type SandboxTest = (materials: Materials) => boolean

/** What breaks a rule, one thing at a time; absent where the rule sets no bounds. */
export interface SandboxChecks {
  readonly breaksPath?: (form: string) => boolean
  readonly breaksCommand: (command: ShellCommand) => boolean
  readonly breaksAddress?: (address: Address) => boolean
}

export function sandboxChecks(rule: SandboxRule, host: Host): SandboxChecks {
  const within = rule.within?.map((path) => boundary(path, host))
  const notWithin = rule.notWithin.map((path) => boundary(path, host))
  const commands = rule.allowedCommands && new Set(rule.allowedCommands)
  const allowed = rule.allowedDomains?.map((pattern) => compileGlob(tidyDomainPattern(pattern)))
  const blocked = rule.blockedDomains.map((pattern) => compileGlob(tidyDomainPattern(pattern)))
  return {
    ...(within && {
      breaksPath: (form) =>
        notWithin.some((path) => isInside(form, path)) || !within.some((path) => isInside(form, path)),
    }),
    breaksCommand: (command) => {
      if (command.isUnanalysable) return true
      return commands !== undefined && !commands.has(firstWord(command))
    },
    ...((allowed || blocked.length > 0) && {
      breaksAddress: (address) => {
        if (address.is === 'file') return false
        if (address.is === 'unknown') return allowed !== undefined
        if (blocked.some((glob) => glob(address.host))) return true
        return allowed !== undefined && !allowed.some((glob) => glob(address.host))
      },
    }),
  }
}

/** Whether a call breaks the rule. */
export function compileSandbox(rule: SandboxRule, host: Host): SandboxTest {
  const { breaksPath, breaksCommand, breaksAddress } = sandboxChecks(rule, host)
  return (materials) => {
    if (breaksPath) {
      const { hasBad, forms } = pathsOf(materials)
      if (hasBad) return true
      for (const form of forms) if (breaksPath(form)) return true
    }
    const command = commandOf(materials)
    if (command && breaksCommand(command)) return true
    if (breaksAddress) {
      for (const address of addressesOf(materials)) if (breaksAddress(address)) return true
    }
    return false
  }
}

function boundary(path: string, host: Host): Boundary {
  const lexical = lexicalPath(path, host.workingDirectory)
  return boundaryOf(host.resolvePath ? host.resolvePath(lexical).path : lexical)
}

export function materialsOf(call: Call, host: Host): Materials {
  return { call, host, command: undefined, paths: undefined, addresses: undefined }
}

export function commandOf(materials: Materials): ShellCommand | null {
  if (materials.command === undefined) materials.command = readCommandOf(materials.call) ?? null
  return materials.command
}

export function addressesOf(materials: Materials): readonly Address[] {
  materials.addresses ??= readAddresses(materials.call.args)
  return materials.addresses
}

export function pathsOf(materials: Materials): Paths {
  materials.paths ??= readPaths(materials)
  return materials.paths
}

function readCommandOf(call: Call): ShellCommand | undefined {
  const given = own(call.args, 'command')
  return readCommand(bashCommandOf(call) || (typeof given === 'string' ? given : ''))
}

const noAddresses: readonly Address[] = []

function readAddresses(args: Call['args']): readonly Address[] {
  let found: Address[] | undefined
  for (const key of Object.keys(args)) {
    const value = args[key]
    if (typeof value !== 'string' || !value.includes('://')) continue
    found ??= []
    for (const address of addressesIn(value)) found.push(address)
  }
  return found ?? noAddresses
}

const noPaths: Paths = { hasBad: false, forms: [] }

function readPaths(materials: Materials): Paths {
  const raw = rawPaths(materials)
  if (raw.length === 0) return noPaths
  const { workingDirectory, resolvePath } = materials.host
  const forms: string[] = []
  let hasBad = false
  for (const path of raw) {
    if (!resolvePath && isPlainPath(path)) {
      forms.push(path)
      continue
    }
    const read = pathForms(path, workingDirectory, resolvePath)
    if (read.is === 'bad') hasBad = true
    else forms.push(...read.forms)
  }
  return { hasBad, forms: forms.length > 1 ? [...new Set(forms)] : forms }
}

/** Everything in a call that is a path by its place or by its looks, as it was written. */
function rawPaths(materials: Materials): readonly string[] {
  const { call } = materials
  const raw: string[] = []
  const file = filePathOf(call)
  if (file !== undefined) raw.push(file)
  for (const key of Object.keys(call.args)) {
    const value = call.args[key]
    if (typeof value === 'string') {
      if (value !== '' && (pathKeys.has(key) || looksLikePath(value))) raw.push(value)
    } else if (isList(value) && pathKeys.has(key)) {
      for (const one of value) if (typeof one === 'string' && one !== '') raw.push(one)
    }
  }
  const command = commandOf(materials)
  // One by one: a huge command has more words than a call takes arguments.
  if (command) for (const word of absoluteWords(command)) raw.push(word)
  for (const address of addressesOf(materials)) if (address.is === 'file' && address.path !== '') raw.push(address.path)
  return raw
}

function looksLikePath(value: string): boolean {
  const first = value.charCodeAt(0)
  if (first === 0x2f || first === 0x7e || value === '..') return true
  if (first === 0x2e && (value.startsWith('./') || value.startsWith('../'))) return true
  return value.includes('../') && !value.includes('://')
}

/** Arguments whose texts are paths, however they look. */
export const pathKeys: ReadonlySet<string> = new Set(
  `path file_path filePath directory dir folder target destination source src dst filename file filepath read_path
  write_path working_directory cwd workdir`.split(/\s+/),
)
