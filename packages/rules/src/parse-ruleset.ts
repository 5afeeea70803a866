import { collectFindings, type Diagnostic, type Findings, placeIn } from './diagnostic.ts'
import { defaultLimits, type Limits, servedBytesMax } from './limits.ts'
import type { Ruleset } from './model.ts'
import { readDialect, readDocument } from './read/document.ts'
import { asMap, type MapPlace, type Reading } from './read/fields.ts'
import { readSourceText } from './read/source-text.ts'
import { buildTree } from './read/tree.ts'
import { parseSyntax } from './read/yaml-syntax.ts'

export interface ParseOptions {
  /** For a ruleset that will be handed to agents: at most 512 KiB. `renderings` checks the other dialect's size. */
  readonly isServed?: boolean
  /** Unknown selectors become errors instead of warnings. */
  readonly isStrict?: boolean
  /** Operators and selector prefixes that the caller's engine will provide. */
  readonly customOperators?: readonly string[]
  readonly customSelectors?: readonly string[]
  readonly limits?: Partial<Limits>
}

export type ParseResult =
  /** `diagnostics` holds warnings only. */
  | {
      readonly ok: true
      readonly ruleset: Ruleset
      readonly diagnostics: readonly Diagnostic[]
    }
  /** `diagnostics` holds at least one error, and every error that could be found. */
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }

/** Bytes to a checked model, or everything that is wrong with them. Never throws, whatever the bytes. */
export function parseRuleset(source: Uint8Array | string, options: ParseOptions = {}): ParseResult {
  const parsed = parseSource(source, options)
  if (!parsed.ok) return parsed
  return { ok: true, ruleset: parsed.ruleset, diagnostics: parsed.diagnostics }
}

/** What `renderings` and `resolveExtends` need beside the model: the text and where its parts are. */
export type ParsedSource =
  | {
      readonly ok: true
      readonly ruleset: Ruleset
      readonly diagnostics: readonly Diagnostic[]
      readonly text: string
      readonly bytes: number
      readonly root: MapPlace
    }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] }

export function parseSource(source: Uint8Array | string, options: ParseOptions): ParsedSource {
  const limits = limitsOf(options)
  const read = readSourceText(source, limits)
  const findings = collectFindings(read.text)
  if (read.is === 'refused') {
    findings.error(read.finding)
    return { ok: false, diagnostics: findings.list() }
  }
  const { text, bytes } = read
  try {
    const root = readRoot(text, limits, findings)
    const ruleset = root && readRuleset(root, text, limits, findings, options)
    if (!root || !ruleset || findings.hasErrors()) return { ok: false, diagnostics: findings.list() }
    return {
      ok: true,
      ruleset,
      diagnostics: findings.list(),
      text,
      bytes,
      root,
    }
  } catch (cause) {
    // Such as a stack that ran out inside the YAML library. A document that cannot be read is refused, never a crash.
    const reason = cause instanceof Error ? cause.message : String(cause)
    findings.error({
      code: 'yaml.parse',
      at: { start: 0, end: 0 },
      message: `Cannot parse the document: ${reason}.`,
    })
    return { ok: false, diagnostics: findings.list() }
  }
}

function readRoot(text: string, limits: Limits, findings: Findings): MapPlace | undefined {
  const document = parseSyntax(text, limits, findings)
  if (!document) return undefined
  const node = buildTree(document, text, limits, findings)
  const root = asMap(node && { node, path: '', at: { start: 0, end: 0 } })
  if (root || (!node && findings.hasErrors())) return root
  findings.error({
    code: 'doc.not_mapping',
    at: node?.span ?? { start: 0, end: 0 },
    message: 'A ruleset must be a mapping (key: value) at its top level.',
    hint: 'Begin with `apiVersion: edictum/v1` and `kind: Ruleset`.',
  })
  return undefined
}

function readRuleset(
  root: MapPlace,
  text: string,
  limits: Limits,
  findings: Findings,
  options: ParseOptions,
): Ruleset | undefined {
  const dialect = readDialect(root, findings)
  if (!dialect) return undefined
  const place = placeIn(text)
  const reading: Reading = {
    findings,
    limits,
    dialect,
    customOperators: new Set(options.customOperators ?? []),
    customSelectors: new Set(options.customSelectors ?? []),
    isStrict: options.isStrict === true,
    lineOf: (offset) => place(offset).line,
  }
  return readDocument(root, reading)
}

export function limitsOf(options: ParseOptions): Limits {
  const limits = { ...defaultLimits, ...options.limits }
  return options.isServed
    ? {
        ...limits,
        documentBytes: Math.min(limits.documentBytes, servedBytesMax),
      }
    : limits
}
