import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { compile } from '@countersign/rules'
import { checkFile } from './check-files.ts'
import type { Finding } from './findings.ts'
import { loadRuleset } from './load-ruleset.ts'
import { type Case, readCases } from './read-cases.ts'
import { type Tried, tryCall } from './try-call.ts'

export type CaseResult = {
  readonly name: string
  readonly line: number
  readonly passed: boolean
  /** Why it failed, and what the ruleset said; empty when it passed. */
  readonly reasons: readonly string[]
}

export type TestedFile = {
  readonly file: string
  readonly ruleset: string | null
  /** Mistakes in the cases or the ruleset: nothing was tested. */
  readonly findings: readonly Finding[]
  readonly results: readonly CaseResult[]
}

/** Runs the cases of a file against the ruleset it names, which lies where the file says, seen from the file. */
export async function testFile(file: string): Promise<TestedFile> {
  const read = readCases(file, await readFile(file, 'utf8'))
  if (!read.ok) return { file, ruleset: null, findings: read.findings, results: [] }
  const path = join(dirname(file), read.ruleset)
  const loaded = await loadRuleset(path)
  if (!loaded.ok) return { file, ruleset: path, findings: (await checkFile(path, false)).findings, results: [] }
  const compiled = compile(loaded.ruleset)
  return {
    file,
    ruleset: path,
    findings: [],
    results: read.cases.map((one) => {
      const reasons = mismatches(one, tryCall(compiled, one.input))
      return { name: one.name, line: one.line, passed: reasons.length === 0, reasons }
    }),
  }
}

function mismatches({ expect }: Case, tried: Tried): readonly string[] {
  const { decision, post } = tried
  const spoke = decision.decidedBy
  const fired = post?.fired.map(({ name }) => name) ?? []
  const found = [
    expect.verdict === tried.verdict ? undefined : `expected ${expect.verdict}, got ${tried.verdict}`,
    expect.rule === undefined || expect.rule === spoke?.name
      ? undefined
      : `expected the rule ${expect.rule} to decide, it was ${spoke?.name ?? 'none'}`,
    expect.message === undefined || spoke?.message.includes(expect.message)
      ? undefined
      : `expected a message with "${expect.message}", got "${spoke?.message ?? ''}"`,
    sameNames('observed', expect.observed, tried.observed),
    sameNames('fired', expect.fired, fired),
  ].filter((reason) => reason !== undefined)
  return found.length === 0 ? [] : [...found, tried.explanation.words]
}

function sameNames(what: string, expected: readonly string[] | undefined, got: readonly string[]): string | undefined {
  if (expected === undefined) return undefined
  const [wanted, had] = [[...expected].sort().join(', '), [...new Set(got)].sort().join(', ')]
  return wanted === had ? undefined : `expected ${what}: ${wanted || 'none'}; got: ${had || 'none'}`
}
