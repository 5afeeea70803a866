import type { JsonValue, SandboxRule } from '../model.ts'
import { bashCommandOf, type Call, filePathOf, isList, own, type ResolvePath } from './call.ts'
import { type Address, addressesIn, tidyDomainPattern } from './domains.ts'
import { compileGlob } from './glob.ts'
import { isInside, lexicalPath, pathForms } from './paths.ts'
import { readCommand, type ShellCommand } from './shell-words.ts'

/** Where the rules are evaluated. Without `resolvePath` only the text of paths is known. */
export interface Host {
  readonly workingDirectory: string
  readonly resolvePath?: ResolvePath
}

/** What a sandbox looks at in a call, worked out once for all rules, and only when one asks. */
export interface Materials {
  readonly paths: () => Paths
  readonly command: () => ShellCommand | undefined
  readonly addresses: () => readonly Address[]
}

interface Paths {
  readonly hasBad: boolean
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
      if (command.is === 'unanalysable') return true
      return commands !== undefined && !commands.has(command.words[0] ?? '')
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
      const { hasBad, forms } = materials.paths()
      if (hasBad || forms.some(breaksPath)) return true
    }
    const command = materials.command()
    if (command && breaksCommand(command)) return true
    return breaksAddress !== undefined && materials.addresses().some(breaksAddress)
  }
}

function boundary(path: string, host: Host): string {
  const lexical = lexicalPath(path, host.workingDirectory)
  return host.resolvePath ? host.resolvePath(lexical).path : lexical
}

export function materialsOf(call: Call, host: Host): Materials {
  const command = once(() => readCommandOf(call))
  const addresses = once(() =>
    Object.values(call.args).flatMap((value) => (typeof value === 'string' ? addressesIn(value) : [])),
  )
  const paths = once(() => {
    const raw = new Set([...rawPaths(call), ...(command()?.words.filter((word) => word.startsWith('/')) ?? [])])
    for (const address of addresses()) if (address.is === 'file') raw.add(address.path)
    const read = [...raw].map((path) => pathForms(path, host.workingDirectory, host.resolvePath))
    return {
      hasBad: read.some((one) => one.is === 'bad'),
      forms: [...new Set(read.flatMap((one) => (one.is === 'forms' ? one.forms : [])))],
    }
  })
  return { paths, command, addresses }
}

function readCommandOf(call: Call): ShellCommand | undefined {
  const given = own(call.args, 'command')
  const text = (bashCommandOf(call) || (typeof given === 'string' ? given : '')).trim()
  return text === '' ? undefined : readCommand(text)
}

/** Arguments whose texts are paths, however they look. */
export const pathKeys: ReadonlySet<string> = new Set(
  `path file_path filePath directory dir folder target destination source src dst filename file filepath read_path
  write_path working_directory cwd workdir`.split(/\s+/),
)

function rawPaths(call: Call): readonly string[] {
  const own = Object.entries(call.args).flatMap(([key, value]) => pathsOf(key, value))
  const file = filePathOf(call)
  return [...(file === undefined ? [] : [file]), ...own].filter((path) => path !== '')
}

function pathsOf(key: string, value: JsonValue): readonly string[] {
  if (typeof value === 'string') {
    return pathKeys.has(key) || looksLikePath(value) ? [value] : []
  }
  return isList(value) && pathKeys.has(key) ? value.filter((one) => typeof one === 'string') : []
}

function looksLikePath(value: string): boolean {
  if (value.startsWith('/') || value === '..' || /^(?:\.\.?\/|~)/.test(value)) return true
  return value.includes('../') && !value.includes('://')
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
