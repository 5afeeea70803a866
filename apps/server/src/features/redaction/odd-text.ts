// Lone surrogates: with the u flag a pair is one code point, so this class matches only halves.
const odd = /\0|[\ud800-\udfff]/gu

/** Texts that UTF-8 or the database cannot hold. */
export function isOddText(text: string): boolean {
  return text.includes('\0') || !text.isWellFormed()
}

/** Shows U+0000 and lone surrogates as the six characters of their escape, `\u0000`. */
export function escapeOddText(text: string): string {
  return isOddText(text) ? text.replace(odd, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`) : text
}
