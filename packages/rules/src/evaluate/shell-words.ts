/** A command's text, and what can be told of it without running a shell. */
export interface ShellCommand {
  /** Trimmed, not empty. */
  readonly text: string
  /** It chains, substitutes or redirects: what would run cannot be told from the text. */
  readonly isUnanalysable: boolean
  /** Its words are what stands between blanks: nothing is quoted, escaped or redirected. */
  readonly isPlain: boolean
  readonly hasSlash: boolean
}

const unanalysable = /[;|&\n\r`]|\$[({']|<[(<]|>\(|^\d*[<>]/

const [separating, quoting, slashing] = [1, 2, 4]
/** What each ASCII character may mean. One pass over a table is several times quicker than a pattern. */
const meanings = new Uint8Array(128)
for (const character of ';|&\n\r`$<>') meanings[character.charCodeAt(0)] = separating
for (const character of '\'"\\') meanings[character.charCodeAt(0)] = quoting
for (const character of '<>') meanings[character.charCodeAt(0)] = separating | quoting
meanings['/'.charCodeAt(0)] = slashing

/** Undefined when there is nothing to run. */
export function readCommand(given: string): ShellCommand | undefined {
  const text = given.trim()
  const { length } = text
  if (length === 0) return undefined
  let found = 0
  for (let at = 0; at < length; at += 1) {
    const unit = text.charCodeAt(at)
    if (unit < 128) found |= meanings[unit] ?? 0
  }
  const isUnanalysable = (found & separating) !== 0 && unanalysable.test(text)
  return { text, isUnanalysable, isPlain: (found & quoting) === 0, hasSlash: (found & slashing) !== 0 }
}

/** What would be run: the first word, or nothing. */
export function firstWord({ text, isPlain }: ShellCommand): string {
  if (!isPlain) return splitWords(text)[0] ?? ''
  const end = text.search(/\s/)
  return end === -1 ? text : text.slice(0, end)
}

const slash = 0x2f

/** Words that begin with a slash, as the shell would read them. */
export function absoluteWords({ text, isPlain, hasSlash }: ShellCommand): readonly string[] {
  if (!hasSlash) return none
  if (!isPlain) return splitWords(text).filter((word) => word.charCodeAt(0) === slash)
  const words: string[] = []
  let at = text.indexOf('/')
  while (at !== -1) {
    let end = at + 1
    if (at === 0 || isBlank(text, at - 1)) {
      while (end < text.length && !isBlank(text, end)) end += 1
      words.push(text.slice(at, end))
    }
    at = text.indexOf('/', end)
  }
  return words
}

const none: readonly string[] = []

function isBlank(text: string, at: number): boolean {
  const unit = text.charCodeAt(at)
  if (unit < 0x80) return unit === 0x20 || (unit >= 0x09 && unit <= 0x0d)
  return /\s/.test(text.charAt(at))
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
