/**
 * What one document may cost. Each number is refused with a position when passed, never cut silently.
 * A caller (a benchmark, an import of a huge file) may raise them; nothing a document says can.
 */
export interface Limits {
  readonly documentBytes: number
  readonly lines: number
  /** Collections inside collections, counted in the text before anything is built. */
  readonly nesting: number
  /** Nodes after every alias is written out in full: the answer to "billion laughs". */
  readonly nodes: number
  readonly aliases: number
  readonly anchors: number
  readonly keysPerMapping: number
  /** Below the 1,024 after which YAML itself gives up on a key. */
  readonly keyCharacters: number
  readonly rules: number
  readonly expressionDepth: number
  readonly patternCharacters: number
  readonly messageCharacters: number
  readonly nameCharacters: number
  readonly extendsDepth: number
}

export const defaultLimits: Limits = {
  documentBytes: 1_048_576,
  lines: 100_000,
  nesting: 200,
  nodes: 100_000,
  aliases: 1_000,
  anchors: 1_000,
  keysPerMapping: 10_000,
  keyCharacters: 1_000,
  rules: 5_000,
  expressionDepth: 50,
  patternCharacters: 10_000,
  messageCharacters: 500,
  nameCharacters: 10_000,
  extendsDepth: 32,
}

/** What a server hands to agents, in either rendering (the SDKs read no more). */
export const servedBytesMax = 524_288

/** After this many a list of diagnostics helps nobody; the last one says that there are more. */
export const diagnosticsMax = 200
