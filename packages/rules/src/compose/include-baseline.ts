import { collectFindings, type Findings, quote } from '../diagnostic.ts'
import { ruleMode } from '../model.ts'
import { type ParseOptions, parseSource } from '../parse-ruleset.ts'
import { assemble, type ExtendsResult, type Link, type ParentSource, refuseSharedIds } from '../resolve-extends.ts'

export interface Baseline extends ParentSource {
  readonly name: string
}

/**
 * A document with the rules of baselines in front of its own, in the order given, and their tools beside its own. Unlike
 * rules inherited by `extends`, these keep the mode they have in their own document: a ruleset that only observes does not
 * switch the baseline off. The document must not extend another; resolve that first.
 */
export function includeBaselines(
  source: Uint8Array | string,
  baselines: readonly Baseline[],
  options: ParseOptions = {},
): ExtendsResult {
  const parsed = parseSource(source, options)
  if (!parsed.ok) return parsed
  const { ruleset, text, diagnostics } = parsed
  if (baselines.length === 0) return { ok: true, text, ruleset, parents: [], diagnostics }
  const findings = collectFindings(text)
  if (ruleset.extends !== undefined)
    refuse(findings, 'baseline.extends', 'Resolve `extends` before baselines are included.')
  const links = baselines.flatMap((baseline) => linkOf(baseline, options, findings) ?? [])
  // Nearest first is how a chain of parents is kept: the last of the list stands directly before the document's own rules.
  const nearestFirst = links.toReversed()
  refuseSharedIds(parsed, nearestFirst, 'baseline', findings)
  if (findings.hasErrors()) return { ok: false, diagnostics: findings.list() }
  return assemble(parsed, nearestFirst, options)
}

function linkOf({ name, revision, source }: Baseline, options: ParseOptions, findings: Findings): Link | undefined {
  const read = parseSource(source, { ...options, isServed: false })
  if (!read.ok) {
    const first = read.diagnostics.find(({ severity }) => severity === 'error')
    refuse(
      findings,
      'baseline.invalid',
      `The baseline ${quote(name)} has errors (line ${first?.line}: ${first?.message}).`,
    )
    return undefined
  }
  const { ruleset } = read
  if (ruleset.extends !== undefined) {
    refuse(findings, 'baseline.extends', `The baseline ${quote(name)} extends another ruleset; resolve that first.`)
  }
  const rules = ruleset.rules.map((rule) => ({ ...rule, mode: ruleMode(rule, ruleset) }))
  const { observability: _, ...rest } = ruleset
  return { name, revision, ruleset: { ...rest, rules }, saysObserveAlongside: false }
}

function refuse(findings: Findings, code: string, message: string): void {
  findings.error({ code, at: { start: 0, end: 0 }, path: '', message })
}
