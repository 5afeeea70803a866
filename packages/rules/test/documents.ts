import type { Diagnostic } from '../src/index.ts'

/** A document with one rule, or with whatever is put in its place. */
export function documentWith(rules: string, head = ''): string {
  return `apiVersion: edictum/v1\nkind: Ruleset\nmetadata: {name: sample}\ndefaults: {mode: enforce}\n${head}rules:\n${rules}`
}

export function preRule(id: string, when = 'args.x: {equals: 1}'): string {
  return `  - id: ${id}\n    type: pre\n    tool: Bash\n    when:\n      ${when}\n    then: {action: block, message: Stopped}\n`
}

export function errorsOf(result: { readonly diagnostics: readonly Diagnostic[] }): readonly Diagnostic[] {
  return result.diagnostics.filter((one) => one.severity === 'error')
}
