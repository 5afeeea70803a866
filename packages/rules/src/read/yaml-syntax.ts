import { Composer, CST, type Document, Lexer, type ParsedNode, Parser, type YAMLError } from 'yaml'
import type { Finding, Findings } from '../diagnostic.ts'
import type { Limits } from '../limits.ts'

type Tokens = readonly CST.Token[]

/**
 * Text to the yaml library's document. The library is linear in the text, but not in what it builds from it, so nesting,
 * aliases and the number of nodes are counted on the token stream, and it is stopped as soon as one is passed.
 */
export function parseSyntax(text: string, limits: Limits, findings: Findings): Document.Parsed | undefined {
  const tokens = tokenize(text, limits, findings)
  if (!tokens) return undefined
  return compose(tokens, text, findings)
}

function tokenize(text: string, limits: Limits, findings: Findings): Tokens | undefined {
  const parser = new Parser()
  const tokens: CST.Token[] = []
  const seen: Seen = { errors: 0, nodes: 0, aliases: 0, anchors: 0, flow: 0, atScalar: false, offset: 0 }
  for (const lexeme of new Lexer().lex(text)) {
    const finding = count(lexeme, seen, limits)
    if (finding) {
      findings.error(finding)
      return undefined
    }
    for (const token of parser.next(lexeme)) {
      tokens.push(token)
      if (token.type === 'error') seen.errors += 1
    }
    // What fits nowhere: a flood of it is not worth reading on for. The composer explains what there is.
    if (seen.errors > syntaxErrorsMax) break
    if (parser.stack.length > limits.nesting && parser.stack.filter(CST.isCollection).length > limits.nesting) {
      findings.error({
        code: 'yaml.depth',
        at: { start: seen.offset, end: seen.offset },
        message: `Collections are nested more than ${limits.nesting} deep: this depth is not accepted.`,
        hint: 'Flatten the document; no rule needs this many levels.',
      })
      return undefined
    }
  }
  for (const token of parser.end()) tokens.push(token)
  return tokens
}

interface Seen {
  errors: number
  nodes: number
  aliases: number
  anchors: number
  /** Open brackets and braces. */
  flow: number
  /** The lexeme behind the lexer's scalar mark is text, whatever it begins with. */
  atScalar: boolean
  offset: number
}

/** One lexeme further; a finding when it is one too many, or of a kind no ruleset may contain. */
function count(lexeme: string, seen: Seen, limits: Limits): Finding | undefined {
  const start = seen.offset
  if (seen.atScalar) {
    seen.atScalar = false
    seen.offset += lexeme.length
    return undefined
  }
  const kind = CST.tokenType(lexeme)
  // The lexer's own marks stand for no text.
  if (kind === 'doc-mode' || kind === 'flow-error-end' || kind === 'scalar') {
    seen.atScalar = kind === 'scalar'
    seen.nodes += 1
    return nodeBudget(seen, start, limits)
  }
  seen.offset += lexeme.length
  const at = { start, end: seen.offset }
  switch (kind) {
    case 'alias':
      seen.nodes += 1
      seen.aliases += 1
      if (seen.aliases <= limits.aliases) return nodeBudget(seen, start, limits)
      return {
        code: 'yaml.aliases',
        at,
        message: `The document uses more than ${limits.aliases} aliases.`,
        hint: 'Write repeated parts out, or split the document.',
      }
    case 'anchor':
      seen.anchors += 1
      if (seen.anchors <= limits.anchors) return undefined
      return {
        code: 'yaml.aliases',
        at,
        message: `The document has more than ${limits.anchors} anchors.`,
        hint: 'Write repeated parts out, or split the document.',
      }
    case 'tag':
      return {
        code: 'yaml.tag',
        at,
        message: `Tags such as ${JSON.stringify(lexeme.slice(0, 40))} are not allowed in a ruleset.`,
        hint: 'Remove the tag; quote the value when it must stay a string.',
      }
    case 'directive-line':
      if (/^%YAML\s+1\.2\s*$/.test(lexeme)) return undefined
      return {
        code: 'yaml.directive',
        at,
        message: 'YAML directives are not allowed in a ruleset.',
        hint: 'Remove the line; rulesets are YAML 1.2.',
      }
    case 'flow-map-end':
    case 'flow-seq-end':
      seen.flow -= 1
      if (seen.flow >= 0) return undefined
      return {
        code: 'yaml.parse',
        at,
        message: `Cannot parse the YAML: there is nothing for this ${lexeme} to close.`,
        hint: 'Remove it, or quote the text it belongs to.',
      }
    case 'flow-map-start':
    case 'flow-seq-start':
      seen.flow += 1
      seen.nodes += 1
      return nodeBudget(seen, start, limits)
    case 'single-quoted-scalar':
    case 'double-quoted-scalar':
    case 'comma':
    case 'seq-item-ind':
    case 'explicit-key-ind':
    case 'map-value-ind':
    case 'doc-start':
    case 'doc-end':
      seen.nodes += 1
      return nodeBudget(seen, start, limits)
    default:
      return undefined
  }
}

/**
 * Indicators are counted with scalars because each may stand for an empty node. There is at most one of them for each
 * node, so nothing that the exact count (see `tree.ts`) would accept is refused here.
 */
function nodeBudget(seen: Seen, offset: number, limits: Limits): Finding | undefined {
  if (seen.nodes <= 2 * limits.nodes + 1_000) return undefined
  return tooManyNodes(offset, limits)
}

export function tooManyNodes(offset: number, limits: Limits): Finding {
  return {
    code: 'yaml.nodes',
    at: { start: offset, end: offset },
    message: `The document has more than ${limits.nodes} nodes once its aliases are written out.`,
    hint: 'Split it into several rulesets, or use fewer aliases.',
  }
}

/** Thrown through the library to stop it after enough errors: it would build hundreds of thousands. */
const enough = new Error('enough syntax errors')
const syntaxErrorsMax = 50

function compose(tokens: Tokens, text: string, findings: Findings): Document.Parsed | undefined {
  let errors = 0
  const report = (source: unknown, code: string, message: string, warning?: boolean): void => {
    if (warning) return
    errors += 1
    findings.error(toFinding(code, message, positionOf(source)))
    if (errors >= syntaxErrorsMax) throw enough
  }
  // Our own check for repeated keys is linear (tree.ts); the library's is quadratic.
  const composer = new Composer<ParsedNode>({
    uniqueKeys: false,
    keepSourceTokens: true,
    schema: 'core',
    merge: false,
  })
  // The library offers no other way to hear of errors while it works, or to stop it.
  Object.assign(composer, { onError: report })
  const documents: Document.Parsed[] = []
  try {
    for (const document of composer.compose(tokens, true, text.length)) {
      documents.push(document)
      for (const error of document.errors) report(error.pos, error.code, error.message)
      if (documents.length > 1) break
    }
  } catch (cause) {
    if (cause !== enough) findings.error(unreadable(cause))
    return undefined
  }
  const [first, second] = documents
  if (second) {
    findings.error({
      code: 'yaml.parse',
      at: { start: second.range[0], end: second.range[0] + 3 },
      message: 'Cannot parse this as one ruleset: the file holds several YAML documents.',
      hint: 'Keep one document per file; remove everything from this `---` on, or upload it separately.',
    })
    return undefined
  }
  return errors > 0 ? undefined : first
}

function unreadable(cause: unknown): Finding {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return {
    code: 'yaml.parse',
    at: { start: 0, end: 0 },
    message: `Cannot parse the YAML: ${reason}.`,
  }
}

type Position = readonly [number, number]

function positionOf(source: unknown): Position {
  if (typeof source === 'number') return [source, source + 1]
  if (Array.isArray(source)) {
    const [start, end]: readonly unknown[] = source
    return typeof start === 'number' && typeof end === 'number' ? [start, end] : [0, 0]
  }
  if (typeof source === 'object' && source !== null && 'offset' in source && typeof source.offset === 'number') {
    const length = 'source' in source && typeof source.source === 'string' ? source.source.length : 1
    return [source.offset, source.offset + length]
  }
  return [0, 0]
}

function toFinding(code: YAMLError['code'] | string, message: string, [start, end]: Position): Finding {
  const unclosed = /^Flow (?:map|sequence) in block collection must be .* end with a ([\]}])$/.exec(message)?.[1]
  if (unclosed !== undefined) {
    const opener = unclosed === ']' ? '[' : '{'
    return {
      code: 'yaml.parse',
      at: { start, end },
      message: `Cannot parse the YAML here: a ${opener} above is not closed, or this line is not indented below it.`,
      hint: `Close it with ${unclosed}, or indent what belongs inside.`,
    }
  }
  const hint = hints[code]
  return {
    code: 'yaml.parse',
    at: { start, end },
    message: `Cannot parse the YAML here: ${message}${message.endsWith('.') ? '' : '.'}`,
    ...(hint === undefined ? {} : { hint }),
  }
}

const hints: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'Indent with spaces.',
  BAD_INDENT: 'Line it up with its neighbors.',
  MULTILINE_IMPLICIT_KEY: 'A key must be on one line; is a colon or a quote missing above?',
  BLOCK_AS_IMPLICIT_KEY: 'Quote the value when it contains a colon and a space.',
  BAD_ALIAS: 'Name an anchor (&name) that stands above.',
  KEY_OVER_1024_CHARS: 'Shorten the key.',
}
