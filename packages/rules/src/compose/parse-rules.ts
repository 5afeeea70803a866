import { collectFindings, type Diagnostic, type Findings, placeIn, quote } from '../diagnostic.ts'
import { emitEntries } from '../emit-yaml.ts'
import type { Limits } from '../limits.ts'
import type { Dialect, Rule, Ruleset } from '../model.ts'
import { limitsOf, type ParseOptions, parseRuleset } from '../parse-ruleset.ts'
import { asMap, child, items, type MapPlace, type Place, type Reading, text as textOf } from '../read/fields.ts'
import { readRule } from '../read/rule.ts'
import { readSourceText } from '../read/source-text.ts'
import { buildTree, type MapNode, type Node } from '../read/tree.ts'
import { normalizeWord, words } from '../read/words.ts'
import { parseSyntax } from '../read/yaml-syntax.ts'
import { ruleToDataIn } from '../to-data.ts'
import { commentsOfRules, type RuleComments, withComments } from './rule-comments.ts'

export interface ParseRulesOptions extends ParseOptions {
  /** What a single rule is called where it is kept; then the text need not say it, and may not say another. */
  readonly id?: string
}

export type RulesResult =
  | {
      readonly ok: true
      readonly shape: 'ruleset' | 'list' | 'rule'
      /** At least one. */
      readonly rules: readonly Rule[]
      /** What stands beside each of the rules; empty when nothing does. */
      readonly comments: readonly RuleComments[]
      /** The whole document, when it was one. */
      readonly ruleset?: Ruleset
      readonly diagnostics: readonly Diagnostic[]
    }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }

/**
 * Rules in whichever shape people paste them: a whole document, a list of rules, or a single one, in either vocabulary.
 * Checked as strictly as in a document, with positions in the text that was given. Never throws.
 */
export function parseRules(source: Uint8Array | string, options: ParseRulesOptions = {}): RulesResult {
  const limits = limitsOf(options)
  const read = readSourceText(source, limits)
  const findings = collectFindings(read.text)
  if (read.is === 'refused') {
    findings.error(read.finding)
    return { ok: false, diagnostics: findings.list() }
  }
  try {
    const root = readTree(read.text, limits, findings)
    if (root && isDocument(root)) return asDocument(source, () => commentsOfRules(read.text, root), options)
    const shape = root?.is === 'list' ? 'list' : 'rule'
    const rules = root ? rulesOf(root, readingOf(root, read.text, limits, findings, options), options.id) : []
    if (!root && !findings.hasErrors()) refuseEmpty(findings)
    if (findings.hasErrors()) return { ok: false, diagnostics: findings.list() }
    const comments = root ? commentsOfRules(read.text, root) : []
    return { ok: true, shape, rules, comments, diagnostics: findings.list() }
  } catch (cause) {
    // Such as a stack that ran out inside the YAML library: refused, never a crash.
    const reason = cause instanceof Error ? cause.message : String(cause)
    findings.error({ code: 'yaml.parse', at: { start: 0, end: 0 }, message: `Cannot parse the rules: ${reason}.` })
    return { ok: false, diagnostics: findings.list() }
  }
}

function readTree(text: string, limits: Limits, findings: Findings): Node | undefined {
  const document = parseSyntax(text, limits, findings)
  return document && buildTree(document, text, limits, findings)
}

/** Any of these keys says that a document was meant, also when others are missing. */
function isDocument(root: Node): boolean {
  return root.is === 'map' && ['apiVersion', 'kind', 'rules', 'contracts'].some((key) => root.entries.has(key))
}

function asDocument(
  source: Uint8Array | string,
  commentsOf: () => readonly RuleComments[],
  options: ParseOptions,
): RulesResult {
  const parsed = parseRuleset(source, options)
  if (!parsed.ok) return parsed
  const { ruleset, diagnostics } = parsed
  return { ok: true, shape: 'ruleset', rules: ruleset.rules, comments: commentsOf(), ruleset, diagnostics }
}

function refuseEmpty(findings: Findings): void {
  findings.error({
    code: 'rule.shape',
    at: { start: 0, end: 0 },
    message: 'There is no rule here.',
    hint: 'Write a rule with an id and a type, a list of such rules, or a whole document.',
  })
}

function rulesOf(root: Node, reading: Reading, id: string | undefined): readonly Rule[] {
  const whole: Place = { node: root, path: '', at: root.span }
  if (root.is !== 'list') {
    const rule = readRule(id === undefined ? whole : named(whole, id, reading), reading)
    return rule ? [rule] : []
  }
  if (root.items.length === 0) refuseEmpty(reading.findings)
  const places = items(root, '')
  refuseRepeated(places, reading)
  return places.flatMap((place) => readRule(place, reading) ?? [])
}

/** The rule as if it said its own name; one that says another is refused. */
function named(place: Place, id: string, { findings }: Reading): Place {
  const rule = asMap(place)
  if (!rule) return place
  const own = child(rule, 'id')
  if (own && textOf(own) !== id) {
    findings.error({
      code: 'rule.id',
      at: own.at,
      path: own.path,
      message: `This rule is kept under the id ${quote(id)}, but the text names another.`,
      hint: 'Leave the id out of the text.',
    })
  }
  if (own) return place
  const span = { start: rule.node.span.start, end: rule.node.span.start }
  const scalar = (value: string): Extract<Node, { is: 'scalar' }> => {
    return { is: 'scalar', value, isPlain: true, span, size: 1 }
  }
  const entries = new Map([['id', { key: scalar('id'), value: scalar(id) }], ...rule.node.entries])
  const node: MapNode = { ...rule.node, entries }
  return { ...rule, node }
}

function refuseRepeated(places: readonly Place[], { findings }: Reading): void {
  const seen = new Set<string>()
  for (const place of places) {
    const rule = asMap(place)
    const own = rule && child(rule, 'id')
    const id = textOf(own)
    if (id === undefined || !own) continue
    if (seen.has(id)) {
      const message = `Duplicate rule id ${quote(id)}.`
      findings.error({
        code: 'rule.duplicate_id',
        at: own.at,
        path: own.path,
        message,
        hint: 'Give each rule an id of its own.',
      })
    }
    seen.add(id)
  }
}

function readingOf(root: Node, text: string, limits: Limits, findings: Findings, options: ParseOptions): Reading {
  const place = placeIn(text)
  return {
    findings,
    limits,
    dialect: dialectOf(root),
    customOperators: new Set(options.customOperators ?? []),
    customSelectors: new Set(options.customSelectors ?? []),
    isStrict: options.isStrict === true,
    lineOf: (offset) => place(offset).line,
  }
}

/** No `kind` says it, so the words do. */
function dialectOf(root: Node): Dialect {
  const places = root.is === 'list' ? items(root, '') : [{ node: root, path: '', at: root.span }]
  return places.some((place) => hasOlderWords(asMap(place))) ? 'ContractBundle' : 'Ruleset'
}

function hasOlderWords(rule: MapPlace | undefined): boolean {
  if (!rule) return false
  const then = asMap(child(rule, 'then'))
  const isOld = (place: MapPlace | undefined, keys: readonly string[]): boolean => {
    return place !== undefined && keys.some((key) => place.node.entries.has(key))
  }
  const outside = textOf(child(rule, 'outside'))
  const isOldOutside = outside !== undefined && normalizeWord(outside) !== outside
  return isOldOutside || isOld(rule, [words.timeoutAction.ContractBundle]) || isOld(then, ['effect', 'timeout_effect'])
}

/** One rule as a YAML mapping without its id, in both vocabularies. The same rule gives the same text. */
export function ruleTexts(
  rule: Rule,
  comments?: RuleComments,
): { readonly ruleset: string; readonly contractBundle: string } {
  const textIn = (dialect: Dialect): string => withComments(ruleTextIn(rule, dialect), comments, 0)
  return { ruleset: textIn('Ruleset'), contractBundle: textIn('ContractBundle') }
}

function ruleTextIn(rule: Rule, dialect: Dialect): string {
  const { id: _, ...data } = ruleToDataIn(rule, dialect)
  return `${emitEntries(Object.entries(data), 0)}\n`
}
