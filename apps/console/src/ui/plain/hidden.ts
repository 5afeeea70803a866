// Whatever is drawn as nothing, or turns the order of what follows: a call may not read otherwise than it is.
// Joiners belong to emoji and to scripts that need them, never behind a Latin letter; variation selectors to emoji.
const hidden =
  /(?:[[\p{Default_Ignorable_Code_Point}\p{Cc}\u2028\u2029\u2800]--[\n\r\t\u180b-\u180d\u200c\u200d\ufe00-\ufe0f]]|(?<=[\u0000-\u024f])[\u200c\u200d])+/gv

export type Piece = { readonly text: string; readonly isHidden: boolean }

/** A text in pieces, what cannot be seen in it apart from what can. */
export function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = []
  let end = 0
  for (const { 0: run, index } of text.matchAll(hidden)) {
    if (index > end) pieces.push({ text: text.slice(end, index), isHidden: false })
    pieces.push({ text: run, isHidden: true })
    end = index + run.length
  }
  if (end < text.length) pieces.push({ text: text.slice(end), isHidden: false })
  return pieces
}

const namedAtMost = 3

/** `U+202E`, for up to three; then how many more. */
export function codesOf(run: string): string {
  const codes = Array.from(run, (char) => `U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`)
  const more = codes.length - namedAtMost
  return [...codes.slice(0, namedAtMost), ...(more > 0 ? [`and ${more} more`] : [])].join(' ')
}
