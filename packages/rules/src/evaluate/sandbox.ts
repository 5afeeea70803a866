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
  texts: Texts | undefined
}

/** What the arguments hold. */
interface Texts {
  readonly addresses: readonly Address[]
  /** Paths by their place or by their looks, as they were written. */
  readonly paths: readonly string[]
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

type Bounds = Pick<SandboxRule, 'within' | 'notWithin' | 'allowedCommands' | 'allowedDomains' | 'blockedDomains'>

export function sandboxChecks(rule: Bounds, host: Host): SandboxChecks {
  const within = rule.within?.map((path) => boundary(path, host))
  const notWithin = rule.notWithin.map((path) => boundary(path, host))
  const commands = rule.allowedCommands && new Set(rule.allowedCommands)
  const allowed = rule.allowedDomains?.map((pattern) => compileGlob(tidyDomainPattern(pattern)))
  const blocked = rule.blockedDomains.map((pattern) => compileGlob(tidyDomainPattern(pattern)))
  return {
    ...(within && { breaksPath: (form) => isInsideAny(form, notWithin) || !isInsideAny(form, within) }),
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
  return testWith([sandboxChecks(rule, host)])
}

/** Whether a call breaks any of the rules. Bounds that several of them share are looked at once. */
export function compileSandboxes(rules: readonly SandboxRule[], host: Host): SandboxTest {
  const paths = distinct(rules.filter(({ within }) => within).map((rule) => rule.within ?? []))
  const forbidden = [...new Set(rules.flatMap(({ within, notWithin }) => (within ? notWithin : [])))]
  const commands = distinct(rules.flatMap(({ allowedCommands }) => (allowedCommands ? [allowedCommands] : [])))
  const blocked = [...new Set(rules.flatMap(({ blockedDomains }) => blockedDomains))]
  const domains = distinct(rules.flatMap(({ allowedDomains }) => (allowedDomains ? [allowedDomains] : [])))
  const none: Bounds = { notWithin: [], blockedDomains: [] }
  return testWith([
    ...paths.map((within, index) => sandboxChecks({ ...none, within, notWithin: index === 0 ? forbidden : [] }, host)),
    ...commands.map((allowedCommands) => sandboxChecks({ ...none, allowedCommands }, host)),
    ...domains.map((allowedDomains) => sandboxChecks({ ...none, allowedDomains }, host)),
    // Also when no rule says anything of commands: one that does several things breaks every sandbox.
    sandboxChecks({ ...none, blockedDomains: blocked }, host),
  ])
}

function distinct(lists: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return [...new Map(lists.map((list) => [JSON.stringify(list), list])).values()]
}

function testWith(each: readonly SandboxChecks[]): SandboxTest {
  return (materials) => {
    for (const checks of each) if (breaks(checks, materials)) return true
    return false
  }
}

function breaks({ breaksPath, breaksCommand, breaksAddress }: SandboxChecks, materials: Materials): boolean {
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

function isInsideAny(form: string, boundaries: readonly Boundary[]): boolean {
  for (const boundary of boundaries) if (isInside(form, boundary)) return true
  return false
}

function boundary(path: string, host: Host): Boundary {
  const lexical = lexicalPath(path, host.workingDirectory)
  return boundaryOf(host.resolvePath ? host.resolvePath(lexical).path : lexical)
}

export function materialsOf(call: Call, host: Host): Materials {
  return { call, host, command: undefined, paths: undefined, texts: undefined }
}

export function commandOf(materials: Materials): ShellCommand | null {
  if (materials.command === undefined) materials.command = readCommandOf(materials.call) ?? null
  return materials.command
}

export function addressesOf(materials: Materials): readonly Address[] {
  return textsOf(materials).addresses
}

function textsOf(materials: Materials): Texts {
  materials.texts ??= readTexts(materials.call)
  return materials.texts
}

export function pathsOf(materials: Materials): Paths {
  materials.paths ??= readPaths(materials)
  return materials.paths
}

function readCommandOf(call: Call): ShellCommand | undefined {
  const given = own(call.args, 'command')
  return readCommand(bashCommandOf(call) || (typeof given === 'string' ? given : ''))
}

const nothing: readonly never[] = []

function readTexts(call: Call): Texts {
  let addresses: Address[] | undefined
  let paths: string[] | undefined
  const file = filePathOf(call)
  if (file !== undefined) paths = [file]
  for (const key of Object.keys(call.args)) {
    const value = call.args[key]
    if (typeof value === 'string') {
      const hasSlash = value.includes('/')
      if (pathKeys.has(key) ? value !== '' : looksLikePath(value, hasSlash)) paths = added(paths, value)
      if (hasSlash && value.includes('://'))
        for (const address of addressesIn(value)) addresses = added(addresses, address)
    } else if (isList(value) && pathKeys.has(key)) {
      for (const one of value) if (typeof one === 'string' && one !== '') paths = added(paths, one)
    }
  }
  return { addresses: addresses ?? nothing, paths: paths ?? nothing }
}

function added<One>(list: One[] | undefined, one: One): One[] {
  if (!list) return [one]
  list.push(one)
  return list
}

const noPaths: Paths = { hasBad: false, forms: nothing }

function readPaths(materials: Materials): Paths {
  const raw = rawPaths(materials)
  if (raw.length === 0) return noPaths
  const { workingDirectory, resolvePath } = materials.host
  if (!resolvePath && raw.every(isPlainPath)) return { hasBad: false, forms: raw }
  const forms = new Set<string>()
  let hasBad = false
  for (const path of new Set(raw)) {
    const read = pathForms(path, workingDirectory, resolvePath)
    if (read.is === 'bad') hasBad = true
    else for (const form of read.forms) forms.add(form)
  }
  return { hasBad, forms: [...forms] }
}

/** Those of the arguments, of the command and of addresses of files. */
function rawPaths(materials: Materials): readonly string[] {
  const { addresses, paths } = textsOf(materials)
  const command = commandOf(materials)
  const words = command ? absoluteWords(command) : nothing
  if (addresses.length === 0) {
    if (words.length === 0) return paths
    if (paths.length === 0) return words
  }
  const raw = [...paths, ...words]
  for (const address of addresses) if (address.is === 'file' && address.path !== '') raw.push(address.path)
  return raw
}

function looksLikePath(value: string, hasSlash: boolean): boolean {
  if (value.startsWith('~') || value === '..') return true
  if (!hasSlash) return false
  if (value.startsWith('/') || value.startsWith('./')) return true
  return value.includes('../') && (value.startsWith('../') || !value.includes('://'))
}

/** Arguments whose texts are paths, however they look. */
export const pathKeys: ReadonlySet<string> = new Set(
  `path file_path filePath directory dir folder target destination source src dst filename file filepath read_path
  write_path working_directory cwd workdir`.split(/\s+/),
)
