import type { Finding } from '../diagnostic.ts'
import type { Limits } from '../limits.ts'

export type SourceText =
  | { readonly is: 'text'; readonly text: string; readonly bytes: number }
  | {
      readonly is: 'refused'
      readonly text: string
      readonly finding: Finding
    }

/**
 * Bytes to text, with everything refused that some YAML reader would silently repair: what is hashed, signed and
 * shown must be what every SDK reads.
 */
export function readSourceText(source: Uint8Array | string, limits: Limits): SourceText {
  const bytes = typeof source === 'string' ? utf8Length(source) : source.byteLength
  if (bytes > limits.documentBytes) {
    const finding = {
      code: 'yaml.size',
      at: { start: 0, end: 0 },
      message: `The document is too large: ${bytes} bytes, at most ${limits.documentBytes} are accepted.`,
      hint: 'Split it into several rulesets.',
    }
    return { is: 'refused', text: '', finding }
  }
  if (typeof source !== 'string' && source[0] === 0xef && source[1] === 0xbb && source[2] === 0xbf) {
    return refusedMark(decodeLoosely(source))
  }
  if (typeof source === 'string' && source.startsWith('\uFEFF')) return refusedMark(source)
  const text = typeof source === 'string' ? source : decodeStrictly(source)
  if (text === undefined) return refusedEncoding(decodeLoosely(source))
  const finding = oddCharacter(text) ?? tooManyLines(text, limits)
  return finding ? { is: 'refused', text, finding } : { is: 'text', text, bytes }
}

/** Bytes of the text as UTF-8, without building them. */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    if (unit < 0x80) continue
    // A surrogate pair is two units and four bytes: one more for each half.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2
  }
  return bytes
}

function decodeStrictly(source: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(source)
  } catch {
    return undefined
  }
}

function decodeLoosely(source: Uint8Array | string): string {
  return typeof source === 'string' ? source : new TextDecoder('utf-8', { ignoreBOM: true }).decode(source)
}

function refusedMark(text: string): SourceText {
  const finding = {
    code: 'yaml.bom',
    at: { start: 0, end: 1 },
    message: 'The document begins with a byte order mark.',
    hint: 'Save the file as UTF-8 without a byte order mark; some SDKs drop it and then compute another hash.',
  }
  return { is: 'refused', text, finding }
}

function refusedEncoding(loose: string): SourceText {
  // The loose decoder puts U+FFFD where the broken bytes are. A genuine one before it would only shift the position.
  const at = Math.max(0, loose.indexOf('\uFFFD'))
  const finding = {
    code: 'yaml.encoding',
    at: { start: at, end: at + 1 },
    message: 'The document is not valid UTF-8 here.',
    hint: 'Save the file as UTF-8.',
  }
  return { is: 'refused', text: loose, finding }
}

// What YAML itself calls unprintable, and half surrogate pairs, which no UTF-8 file can hold.
const odd =
  /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u0084\u0086-\u009F\uFFFE\uFFFF\uFEFF]|\p{Surrogate}|\r(?!\n)/u

function oddCharacter(text: string): Finding | undefined {
  const found = odd.exec(text)
  if (!found) return undefined
  const at = { start: found.index, end: found.index + 1 }
  if (found[0] === '\r') {
    return {
      code: 'yaml.line_break',
      at,
      message: 'A lone carriage return: YAML readers do not agree whether it ends the line.',
      hint: 'End lines with LF or CRLF.',
    }
  }
  const code = (found[0].codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  if (found[0] === '\0') {
    return {
      code: 'yaml.nul',
      at,
      message: 'The document contains a NUL character (U+0000).',
      hint: 'Remove it.',
    }
  }
  return {
    code: 'yaml.character',
    at,
    message: `The document contains the character U+${code}, which YAML does not allow.`,
    hint: 'Remove it, or write it as an escape in double quotes.',
  }
}

function tooManyLines(text: string, limits: Limits): Finding | undefined {
  let lines = 1
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
    lines += 1
    if (lines > limits.lines) {
      return {
        code: 'yaml.lines',
        at: { start: at, end: at },
        message: `The document has more than ${limits.lines} lines.`,
        hint: 'Split it into several rulesets.',
      }
    }
  }
  return undefined
}
