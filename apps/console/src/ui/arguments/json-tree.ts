/** A JSON value as it was written: members in order, doubles of a name kept, numbers with every digit. */
export type Node =
  | { readonly is: 'object'; readonly members: readonly { readonly name: string; readonly value: Node }[] }
  | { readonly is: 'list'; readonly items: readonly Node[] }
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'number'; readonly written: string }
  | { readonly is: 'word'; readonly written: 'true' | 'false' | 'null' }

const depthMax = 200

/** Null when the text is not JSON, or nested so deeply that nobody could read it. */
export function readTree(source: string): Node | null {
  const reader = { source, at: 0 }
  const value = readValue(reader, 0)
  skipSpace(reader)
  return value !== null && reader.at === source.length ? value : null
}

type Reader = { readonly source: string; at: number }

function readValue(reader: Reader, depth: number): Node | null {
  if (depth > depthMax) return null
  skipSpace(reader)
  const first = reader.source[reader.at]
  if (first === '{') return readObject(reader, depth)
  if (first === '[') return readList(reader, depth)
  if (first === '"') {
    const text = readText(reader)
    return text === null ? null : { is: 'text', text }
  }
  const word = take(reader, /true|false|null/y)
  if (word === 'true' || word === 'false' || word === 'null') return { is: 'word', written: word }
  const written = take(reader, /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y)
  return written === null ? null : { is: 'number', written }
}

function readObject(reader: Reader, depth: number): Node | null {
  const members: { name: string; value: Node }[] = []
  reader.at += 1
  if (passes(reader, '}')) return { is: 'object', members }
  do {
    skipSpace(reader)
    const name = reader.source[reader.at] === '"' ? readText(reader) : null
    if (name === null || !passes(reader, ':')) return null
    const value = readValue(reader, depth + 1)
    if (value === null) return null
    members.push({ name, value })
  } while (passes(reader, ','))
  return passes(reader, '}') ? { is: 'object', members } : null
}

function readList(reader: Reader, depth: number): Node | null {
  const items: Node[] = []
  reader.at += 1
  if (passes(reader, ']')) return { is: 'list', items }
  do {
    const item = readValue(reader, depth + 1)
    if (item === null) return null
    items.push(item)
  } while (passes(reader, ','))
  return passes(reader, ']') ? { is: 'list', items } : null
}

function readText(reader: Reader): string | null {
  const start = reader.at
  for (let at = start + 1; at < reader.source.length; at += 1) {
    if (reader.source[at] === '\\') at += 1
    else if (reader.source[at] === '"') {
      reader.at = at + 1
      return parsed(reader.source.slice(start, at + 1))
    }
  }
  return null
}

function parsed(literal: string): string | null {
  try {
    const value: unknown = JSON.parse(literal)
    return typeof value === 'string' ? value : null
  } catch {
    // A bad escape: the whole text is then shown as it is.
    return null
  }
}

function passes(reader: Reader, character: string): boolean {
  skipSpace(reader)
  if (reader.source[reader.at] !== character) return false
  reader.at += 1
  return true
}

function skipSpace(reader: Reader): void {
  take(reader, /[ \t\n\r]*/y)
}

function take(reader: Reader, pattern: RegExp): string | null {
  pattern.lastIndex = reader.at
  const found = pattern.exec(reader.source)?.[0] ?? null
  if (found !== null) reader.at += found.length
  return found
}
