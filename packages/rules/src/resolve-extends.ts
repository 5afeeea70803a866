import { collectFindings, type Diagnostic, type Findings, quote, type Span } from './diagnostic.ts'
import { emitEntries, emitFlow, emitItems } from './emit-yaml.ts'
import { defaultLimits } from './limits.ts'
import type { Dialect, JsonValue, Rule, Ruleset } from './model.ts'
import { type ParseOptions, parseRuleset, parseSource } from './parse-ruleset.ts'
import { child, placeOfId } from './read/fields.ts'
import type { Entry } from './read/tree.ts'
import { words } from './read/words.ts'
import { applyEdits, type Edit, type Parsed } from './renderings.ts'
import { sameRuleset } from './same-ruleset.ts'
import { observabilityToData, rulesetToData, ruleToDataIn, toolToData } from './to-data.ts'

export interface ParentSource {
  readonly source: Uint8Array | string
  /** What pins it: the revision's hash, or any label that never means another text. */
  readonly revision: string
}

export interface PinnedParent {
  readonly name: string
  readonly revision: string
}

export type ExtendsResult =
  | {
      readonly ok: true
      /** A whole document without `extends`: what is stored, hashed, signed and served. The same inputs give the same text. */
      readonly text: string
      readonly ruleset: Ruleset
      /** Nearest parent first. Empty when the document extends nothing; then `text` is the source. */
      readonly parents: readonly PinnedParent[]
      readonly diagnostics: readonly Diagnostic[]
    }
  | {
      readonly ok: false
      /** Name of a parent that was not among those given, for callers who look them up one by one. */
      readonly missing?: string
      readonly diagnostics: readonly Diagnostic[]
    }

/**
 * The child's text with its ancestors' rules in front of its own and their tools beside its own. `defaults` and
 * `metadata` are the child's alone, so an inherited rule follows the child's mode. Comments of the child are kept,
 * unless its layout leaves no place to insert (a document in one pair of braces); then the text is printed anew.
 */
export function resolveExtends(
  source: Uint8Array | string,
  parents: ReadonlyMap<string, ParentSource>,
  options: ParseOptions = {},
): ExtendsResult {
  const parsed = parseSource(source, options)
  if (!parsed.ok) return parsed
  if (parsed.ruleset.extends === undefined) {
    return { ok: true, text: parsed.text, ruleset: parsed.ruleset, parents: [], diagnostics: parsed.diagnostics }
  }
  const findings = collectFindings(parsed.text)
  const chain = readChain(parsed, parents, options, findings)
  if (chain.is === 'refused') {
    const { missing } = chain
    return { ok: false, ...(missing === undefined ? {} : { missing }), diagnostics: findings.list() }
  }
  refuseSharedIds(parsed, chain.links, 'parent', findings)
  if (findings.hasErrors()) return { ok: false, diagnostics: findings.list() }
  return assemble(parsed, chain.links, options)
}

/** One document whose rules go in front. */
export interface Link extends PinnedParent {
  readonly ruleset: Ruleset
  readonly saysObserveAlongside: boolean
}

type Chain =
  | { readonly is: 'links'; readonly links: readonly Link[] }
  | { readonly is: 'refused'; readonly missing?: string }

function readChain(
  parsed: Parsed,
  parents: ReadonlyMap<string, ParentSource>,
  options: ParseOptions,
  findings: Findings,
): Chain {
  const depthMax = options.limits?.extendsDepth ?? defaultLimits.extendsDepth
  const at = child(parsed.root, 'extends')?.at ?? { start: 0, end: 0 }
  const refuse = (code: string, message: string, hint: string, missing?: string): Chain => {
    findings.error({ code, at, path: '/extends', message, hint })
    return { is: 'refused', ...(missing === undefined ? {} : { missing }) }
  }
  const links: Link[] = []
  const seen = [parsed.ruleset.name]
  let name = parsed.ruleset.extends
  while (name !== undefined) {
    if (seen.includes(name)) {
      const round = [...seen, name].map((one) => quote(one)).join(' → ')
      return refuse('extends.cycle', `extends goes round in a circle: ${round}.`, 'Remove one of the links.')
    }
    if (links.length >= depthMax) {
      return refuse('extends.depth', `More than ${depthMax} parents in a row.`, 'Merge some of them.')
    }
    const parent = parents.get(name)
    if (!parent) {
      return refuse(
        'extends.missing',
        `The parent ruleset ${quote(name)} does not exist.`,
        'Upload it first, or correct the name.',
        name,
      )
    }
    const read = parseSource(parent.source, { ...options, isServed: false })
    if (!read.ok) {
      const first = read.diagnostics.find((one) => one.severity === 'error')
      const reason = first ? ` (line ${first.line}: ${first.message})` : ''
      return refuse(
        'extends.invalid',
        `The parent ruleset ${quote(name)} has errors${reason}.`,
        'Correct the parent first.',
      )
    }
    const saysObserveAlongside = read.root.node.entries.has('observe_alongside')
    links.push({ name, revision: parent.revision, ruleset: read.ruleset, saysObserveAlongside })
    seen.push(name)
    name = read.ruleset.extends
  }
  return { is: 'links', links }
}

/** Both rules would run under one name, and no record could say which of them spoke. */
export function refuseSharedIds(
  parsed: Parsed,
  links: readonly Link[],
  role: 'parent' | 'baseline',
  findings: Findings,
): void {
  const owners = new Map<string, string>()
  const extendsAt = child(parsed.root, 'extends')?.at ?? { start: 0, end: 0 }
  for (const link of links.toReversed()) {
    for (const rule of link.ruleset.rules) {
      const owner = owners.get(rule.id)
      owners.set(rule.id, link.name)
      if (owner !== undefined) {
        const message = `The rule id ${quote(rule.id)} is in both ${role}s ${quote(owner)} and ${quote(link.name)}.`
        findings.error({ code: 'extends.duplicate_id', at: extendsAt, path: '/extends', message })
      }
    }
  }
  for (const [index, rule] of parsed.ruleset.rules.entries()) {
    const owner = owners.get(rule.id)
    if (owner === undefined) continue
    findings.error({
      code: 'extends.duplicate_id',
      at: placeOfId(parsed.root, index),
      path: `/rules/${index}/id`,
      message: `The rule id ${quote(rule.id)} is already in the ${role} ${quote(owner)}.`,
      hint: `Give this rule another id; a ruleset adds to its ${role} and does not replace its rules.`,
    })
  }
}

/** The text with the rules and tools of others put in, `extends` taken out if it is there. */
export function assemble(parsed: Parsed, links: readonly Link[], options: ParseOptions): ExtendsResult {
  const merged = merge(parsed, links)
  const pinned = links.map(({ name, revision }) => ({ name, revision }))
  const inPlace = insertIntoSource(parsed, merged, links)
  const kept = inPlace === undefined ? undefined : parseRuleset(inPlace, options)
  if (inPlace !== undefined && kept?.ok && sameRuleset(kept.ruleset, merged)) {
    return { ok: true, text: inPlace, ruleset: kept.ruleset, parents: pinned, diagnostics: kept.diagnostics }
  }
  const printed = `${links.map((link) => `# ${pinOf(link)}\n`).join('')}${emitEntries(Object.entries(rulesetToData(merged)), 0)}\n`
  const read = parseRuleset(printed, options)
  if (!read.ok) return read
  return { ok: true, text: printed, ruleset: read.ruleset, parents: pinned, diagnostics: read.diagnostics }
}

/** What the assembled document must mean, however its text comes about. */
function merge(parsed: Parsed, links: readonly Link[]): Ruleset {
  const { ruleset, root } = parsed
  const { extends: _, observability: own, ...rest } = ruleset
  const inherited = links.toReversed()
  const observability = own ?? links.find((link) => link.ruleset.observability)?.ruleset.observability
  const observeAlongside = root.node.entries.has('observe_alongside')
    ? ruleset.observeAlongside
    : (links.find((link) => link.saysObserveAlongside)?.ruleset.observeAlongside ?? false)
  return {
    ...rest,
    tools: inheritedTools(parsed, links).concat(ruleset.tools),
    ...(observability ? { observability } : {}),
    observeAlongside,
    rules: [...inherited.flatMap((link) => link.ruleset.rules), ...ruleset.rules],
  }
}

function inheritedTools({ ruleset }: Parsed, links: readonly Link[]): Ruleset['tools'] {
  const taken = new Set(ruleset.tools.map((tool) => tool.name))
  const tools: Ruleset['tools'][number][] = []
  for (const link of links) {
    for (const tool of link.ruleset.tools) {
      if (taken.has(tool.name)) continue
      taken.add(tool.name)
      tools.push(tool)
    }
  }
  return tools
}

function insertIntoSource(parsed: Parsed, merged: Ruleset, links: readonly Link[]): string | undefined {
  const { root, text } = parsed
  const entry = root.node.entries.get('extends')
  const first = entry ?? root.node.entries.get(words.rules[parsed.ruleset.dialect])
  if (root.node.isFlow || !first) return undefined
  const indent = columnOf(text, first.key.span.start)
  const pad = ' '.repeat(indent)
  const head: string[] = []
  const edits: Edit[] = []
  const tools = inheritedTools(parsed, links).map(toolToData)
  if (tools.length > 0 && !insertTools(parsed, tools, edits)) {
    head.push(emitEntries([['tools', Object.fromEntries(tools)]], indent))
  }
  const has = (key: string): boolean => root.node.entries.has(key)
  if (merged.observability && !has('observability')) {
    head.push(emitEntries([['observability', observabilityToData(merged.observability)]], indent))
  }
  if (merged.observeAlongside && !has('observe_alongside')) head.push('observe_alongside: true')
  if (!insertRules(parsed, links, edits)) {
    head.push(`rules:\n${pad}  ${inheritedItems(links, parsed.ruleset.dialect, indent + 2)}`)
  }
  head.push(...links.map((link) => `# ${pinOf(link)}`))
  edits.push(entry ? replaceExtends(text, entry.key.span, entry.value.span, head, pad) : insertBefore(first, head, pad))
  return applyEdits(text, edits)
}

/** A comment takes the place of the field, so that what stood beside it (a comment, say) still stands behind one. */
function replaceExtends(text: string, key: Span, value: Span, head: readonly string[], pad: string): Edit {
  const lines = head.join(`\n${pad}`)
  const removed = text.slice(key.start, value.end)
  return { at: { start: key.start, end: value.end }, text: removed.endsWith('\n') ? `${lines}\n` : lines }
}

function insertBefore({ key }: Entry, head: readonly string[], pad: string): Edit {
  return { at: { start: key.span.start, end: key.span.start }, text: head.map((line) => `${line}\n${pad}`).join('') }
}

function insertTools(parsed: Parsed, tools: readonly (readonly [string, JsonValue])[], edits: Edit[]): boolean {
  const place = child(parsed.root, 'tools')
  if (place?.node.is !== 'map') return false
  const start = place.node.span.start
  if (place.node.isFlow) {
    const flow = tools.map(([name, tool]) => `${emitFlow(name)}: ${emitFlow(tool)}`).join(', ')
    edits.push({ at: { start: start + 1, end: start + 1 }, text: place.node.entries.size > 0 ? `${flow}, ` : flow })
    return true
  }
  const indent = columnOf(parsed.text, start)
  edits.push({ at: { start, end: start }, text: `${emitEntries(tools, indent)}\n${' '.repeat(indent)}` })
  return true
}

function insertRules(parsed: Parsed, links: readonly Link[], edits: Edit[]): boolean {
  const place = child(parsed.root, words.rules[parsed.ruleset.dialect])
  if (place?.node.is !== 'list') return false
  const { span, isFlow, items } = place.node
  const { dialect } = parsed.ruleset
  if (isFlow) {
    const rules = links.toReversed().flatMap((link) => link.ruleset.rules.map((rule) => ruleToDataIn(rule, dialect)))
    const flow = rules.map(emitFlow).join(', ')
    edits.push({ at: { start: span.start + 1, end: span.start + 1 }, text: items.length > 0 ? `${flow}, ` : flow })
    return true
  }
  const indent = columnOf(parsed.text, span.start)
  const text = `${inheritedItems(links, dialect, indent)}\n${' '.repeat(indent)}# rules of this document\n${' '.repeat(indent)}`
  edits.push({ at: { start: span.start, end: span.start }, text })
  return true
}

function inheritedItems(links: readonly Link[], dialect: Dialect, indent: number): string {
  const pad = ' '.repeat(indent)
  const groups = links.toReversed().filter((link) => link.ruleset.rules.length > 0)
  return groups
    .map(
      (link) =>
        `# ${pinOf(link)}\n${pad}${emitItems(
          link.ruleset.rules.map((rule: Rule) => ruleToDataIn(rule, dialect)),
          indent,
        )}`,
    )
    .join(`\n${pad}`)
}

function pinOf({ name, revision }: PinnedParent): string {
  // Both are foreign text; in quotes they cannot leave the comment.
  return `from ruleset ${emitFlow(name)}, revision ${emitFlow(revision)}`
}

function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1)
}
