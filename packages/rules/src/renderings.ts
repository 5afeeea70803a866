import { collectFindings, type Diagnostic, type Findings, type Span } from './diagnostic.ts'
import { servedBytesMax } from './limits.ts'
import type { Dialect, Ruleset } from './model.ts'
import { type ParsedSource, type ParseOptions, parseSource } from './parse-ruleset.ts'
import { asMap, child, items, type MapPlace, type Place, text } from './read/fields.ts'
import { utf8Length } from './read/source-text.ts'
import type { ScalarNode } from './read/tree.ts'
import { inDialect, normalizeWord, otherDialect, words } from './read/words.ts'

export interface Rendering {
  readonly text: string
  readonly bytes: number
}

export type RenderingsResult =
  | {
      readonly ok: true
      readonly ruleset: Ruleset
      readonly renderings: { readonly ruleset: Rendering; readonly contractBundle: Rendering }
      readonly diagnostics: readonly Diagnostic[]
    }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }

/**
 * The document in both vocabularies. The one it was written in is the source itself, byte for byte; the other differs in
 * the changed words only, comments and layout included, and rendering it back gives the source again (a document that
 * mixes vocabularies, which is warned about, comes back with its own dialect's words).
 */
export function renderings(source: Uint8Array | string, options: ParseOptions = {}): RenderingsResult {
  const parsed = parseSource(source, { isServed: true, ...options })
  if (!parsed.ok) return parsed
  const findings = collectFindings(parsed.text)
  const other = renderOther(parsed, findings)
  if (findings.hasErrors()) return { ok: false, diagnostics: [...findings.list(), ...parsed.diagnostics] }
  const own = { text: parsed.text, bytes: parsed.bytes }
  const { ruleset, diagnostics } = parsed
  const both =
    ruleset.dialect === 'Ruleset' ? { ruleset: own, contractBundle: other } : { ruleset: other, contractBundle: own }
  return { ok: true, ruleset, renderings: both, diagnostics }
}

export type Parsed = Extract<ParsedSource, { ok: true }>

function renderOther(parsed: Parsed, findings: Findings): Rendering {
  const { ruleset, root, text: source } = parsed
  const target = otherDialect(ruleset.dialect)
  const extendsEntry = root.node.entries.get('extends')
  if (extendsEntry) {
    findings.error({
      code: 'render.extends',
      at: extendsEntry.key.span,
      path: '/extends',
      message: 'A ruleset that extends another cannot be handed to agents: no SDK can look the parent up.',
      hint: 'Resolve `extends` first.',
    })
  }
  const edits = collectEdits(root, ruleset.dialect, source, findings)
  const rendered = applyEdits(source, edits)
  const bytes = utf8Length(rendered)
  if (bytes > servedBytesMax) {
    findings.error({
      code: 'render.size',
      at: { start: 0, end: 0 },
      message: `As a ${target} this document is too large: ${bytes} bytes, at most ${servedBytesMax} are served.`,
      hint: 'Split it into several rulesets.',
    })
  }
  return { text: rendered, bytes }
}

export interface Edit {
  readonly at: Span
  readonly text: string
}

export function applyEdits(source: string, edits: readonly Edit[]): string {
  const parts: string[] = []
  let from = 0
  for (const edit of edits.toSorted((a, b) => a.at.start - b.at.start)) {
    parts.push(source.slice(from, edit.at.start), edit.text)
    from = edit.at.end
  }
  parts.push(source.slice(from))
  return parts.join('')
}

/** Every word that the other dialect spells differently. */
function collectEdits(root: MapPlace, from: Dialect, source: string, findings: Findings): readonly Edit[] {
  const to = otherDialect(from)
  const edits: Edit[] = []
  // An anchor or alias on the way means that other places share what would be edited.
  type Way = { readonly place: MapPlace; readonly shared: Span | undefined }

  const top: Way = { place: root, shared: root.node.anchor }
  changeValue(top, 'kind', () => to)
  changeKey(top, words.rules)
  const list = below(top, words.rules[from])
  if (list?.place.node.is === 'list') {
    for (const [index, item] of items(list.place.node, list.place.path).entries()) {
      const node = list.place.node.items[index]
      const rule = asMap(item)
      if (rule) changeRule({ place: rule, shared: list.shared ?? node?.alias ?? node?.node.anchor })
    }
  }
  return edits

  function changeRule(rule: Way): void {
    changeValue(rule, 'outside', (word) => inDialect(normalizeWord(word), to))
    changeTimeout(rule)
    const then = below(rule, 'then')
    const map = asMap(then?.place)
    if (!then || !map) return
    const inside = { place: map, shared: then.shared }
    changeWord(inside, words.action)
    changeTimeout(inside)
  }

  function changeTimeout(parent: Way): void {
    changeWord(parent, words.timeoutAction)
  }

  /** The value under either spelling, since documents may mix them. */
  function changeWord(parent: Way, word: Readonly<Record<Dialect, string>>): void {
    for (const key of Object.values(word)) changeValue(parent, key, (value) => inDialect(normalizeWord(value), to))
    changeKey(parent, word)
  }

  function below(parent: Way, key: string): { readonly place: Place; readonly shared: Span | undefined } | undefined {
    const place = child(parent.place, key)
    const entry = parent.place.node.entries.get(key)
    return place && { place, shared: parent.shared ?? entry?.alias ?? place.node.anchor }
  }

  function changeKey(parent: Way, word: Readonly<Record<Dialect, string>>): void {
    const entry = parent.place.node.entries.get(word[from])
    // Both spellings in one mapping are legal when they agree; renaming one would make the key twice.
    if (entry && parent.place.node.entries.has(word[to])) return refuseBoth(entry.key.span, parent.place.path, word)
    if (entry) change(entry.key, word[to], parent.shared, `${parent.place.path}/${word[from]}`)
  }

  function changeValue(parent: Way, key: string, render: (word: string) => string): void {
    const value = below(parent, key)
    const word = text(value?.place)
    if (!value || word === undefined || value.place.node.is !== 'scalar') return
    const rendered = render(word)
    if (rendered !== word) change(value.place.node, rendered, value.shared, value.place.path)
  }

  function change(scalar: ScalarNode, word: string, shared: Span | undefined, path: string): void {
    const sharedAt = shared ?? scalar.anchor
    if (sharedAt) {
      findings.error({
        code: 'render.shared',
        at: sharedAt,
        path,
        message: `\`${String(scalar.value)}\` must become \`${word}\` in the other dialect, but it is shared by an anchor or alias.`,
        hint: 'Write this part out; anchors may stay around conditions, lists of paths and messages.',
      })
      return
    }
    const written = source.slice(scalar.span.start, scalar.span.end)
    const mark = written.startsWith('"') || written.startsWith("'") ? written.slice(0, 1) : ''
    if (written !== `${mark}${String(scalar.value)}${mark}`) {
      findings.error({
        code: 'render.spelling',
        at: scalar.span,
        path,
        message: `\`${String(scalar.value)}\` must become \`${word}\` in the other dialect, but it is not written plainly here.`,
        hint: 'Write the word on one line without escapes.',
      })
      return
    }
    edits.push({ at: scalar.span, text: `${mark}${word}${mark}` })
  }

  function refuseBoth(at: Span, path: string, word: Readonly<Record<Dialect, string>>): void {
    findings.error({
      code: 'render.both',
      at,
      path,
      message: `${word.Ruleset} and ${word.ContractBundle} are the same field in two vocabularies.`,
      hint: `Keep only \`${word[from]}\`.`,
    })
  }
}
