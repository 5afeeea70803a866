export type ShellCommand =
  | { readonly is: 'words'; readonly words: readonly string[] }
  /** It chains, substitutes or redirects: what would run cannot be told from the text. */
  | { readonly is: 'unanalysable'; readonly words: readonly string[] }

const separators = [';', '|', '&', '\n', '\r', '`', '$(', '${', "$'", '<(', '>(', '<<']

export function readCommand(text: string): ShellCommand {
  const trimmed = text.trim()
  const words = splitWords(trimmed)
  const isOpaque = separators.some((part) => trimmed.includes(part)) || /^\d*(?:>|<)/.test(trimmed)
  return { is: isOpaque ? 'unanalysable' : 'words', words }
}

/** POSIX shell words, redirections stripped so that `>/etc/passwd` shows its path. */
export function splitWords(text: string): readonly string[] {
  const words = quotedWords(text) ?? text.split(/\s+/).map((word) => word.replace(/^['"]+|['"]+$/g, ''))
  return words.map((word) => word.replace(/^\d*(?:>>?|<<?)/, '')).filter((word) => word !== '')
}

/** Undefined when a quote is left open. */
function quotedWords(text: string): readonly string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? ''
    if (quote === "'") {
      if (character === "'") quote = ''
      else word = `${word ?? ''}${character}`
    } else if (quote === '"') {
      const next = text[at + 1]
      if (character === '"') quote = ''
      else if (character === '\\' && (next === '"' || next === '\\')) {
        word = `${word ?? ''}${next}`
        at += 1
      } else word = `${word ?? ''}${character}`
    } else if (character === "'" || character === '"') {
      quote = character
      word ??= ''
    } else if (character === '\\') {
      word = `${word ?? ''}${text[at + 1] ?? ''}`
      at += 1
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = `${word ?? ''}${character}`
  }
  if (quote !== '') return undefined
  if (word !== undefined) words.push(word)
  return words
}
