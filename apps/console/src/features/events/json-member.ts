/** The text of one member of a JSON object, as it was written: parsing it would lose digits that a double cannot hold. */
export function jsonMember(json: string, name: string): string | null {
  let at = skipSpace(json, 0)
  if (json[at] !== '{') return null
  at = skipSpace(json, at + 1)
  while (json[at] === '"') {
    const nameEnd = endOfText(json, at)
    const isSought = json.slice(at, nameEnd) === JSON.stringify(name)
    at = skipSpace(json, skipSpace(json, nameEnd) + 1)
    const end = endOfValue(json, at)
    if (isSought) return json.slice(at, end).trimEnd()
    at = skipSpace(json, end + 1)
  }
  return null
}

function skipSpace(json: string, from: number): number {
  let at = from
  while (at < json.length && ' \t\n\r'.includes(json[at] ?? '')) at += 1
  return at
}

/** Just behind the closing quote. */
function endOfText(json: string, from: number): number {
  for (let at = from + 1; at < json.length; at += 1) {
    if (json[at] === '\\') at += 1
    else if (json[at] === '"') return at + 1
  }
  return json.length
}

/** At the comma or bracket that ends the value. */
function endOfValue(json: string, from: number): number {
  let depth = 0
  for (let at = from; at < json.length; at += 1) {
    const character = json[at] ?? ''
    if (character === '"') at = endOfText(json, at) - 1
    else if (character === '{' || character === '[') depth += 1
    else if (character === '}' || character === ']') {
      if (depth === 0) return at
      depth -= 1
    } else if (character === ',' && depth === 0) return at
  }
  return json.length
}
