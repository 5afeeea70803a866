import type { Finding } from './findings.ts'
import { loadRuleset } from './load-ruleset.ts'

export type CheckedFile = {
  readonly file: string
  readonly ok: boolean
  readonly name: string | null
  readonly rules: number
  readonly findings: readonly Finding[]
}

/** Everything that is wrong with a file, as the server would find it on upload. */
export async function checkFile(file: string, isStrict: boolean): Promise<CheckedFile> {
  const loaded = await loadRuleset(file, isStrict)
  return {
    file,
    ok: loaded.ok,
    name: loaded.ok ? loaded.ruleset.name : null,
    rules: loaded.ok ? loaded.ruleset.rules.length : 0,
    findings: loaded.diagnostics.map(
      ({ severity, line, column, endLine, endColumn, code, message, hint }): Finding => ({
        file,
        severity,
        line,
        column,
        endLine,
        endColumn,
        code,
        message,
        hint,
      }),
    ),
  }
}
