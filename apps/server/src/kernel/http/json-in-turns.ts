import { type JsonValue, needsExactNumbers, readJson } from '../json.ts'

/** What is read without letting others have a turn. */
const sliceBytes = 256 * 1_024
const scannedBytesPerTurn = 4 * 1_048_576

/** Refuses what is not UTF-8, and leaves a byte order mark to the reader of the text. */
export const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Where the lists stand that a document's members are, and where their items may be cut apart. */
type Found = { readonly start: number; end: number; readonly cuts: number[] }

/**
 * Reads a large document as `readJson` does, a slice at a time, so that others are answered meanwhile: the items of lists
 * that are members of the outermost object (`{"events": [ … ]}`). Any other document is read in one go. Throws SyntaxError
 * for what is no JSON and TypeError for what is not UTF-8.
 */
export async function readJsonInTurns(
  bytes: Buffer,
  turn: () => Promise<void>,
  slice = sliceBytes,
): Promise<JsonValue> {
  const lists = await findLists(bytes, turn, slice)
  if (lists.length === 0) return readSlice(bytes)
  const values: JsonValue[] = []
  for (const list of lists) values.push(await readList(bytes, list, turn))
  const outline: Buffer[] = []
  let from = 0
  for (const [number, { start, end }] of lists.entries()) {
    outline.push(bytes.subarray(from, start), Buffer.from(`[${number}]`))
    from = end
  }
  outline.push(bytes.subarray(from))
  const document = readSlice(Buffer.concat(outline))
  return Object.fromEntries(
    Object.entries(document as Readonly<Record<string, JsonValue>>).map(([name, value]) => [
      name,
      Array.isArray(value) ? (values[value[0] as number] ?? []) : value,
    ]),
  )
}

async function readList(bytes: Buffer, { start, end, cuts }: Found, turn: () => Promise<void>): Promise<JsonValue> {
  const items: JsonValue[] = []
  const edges = [start, ...cuts, end - 1]
  for (let at = 1; at < edges.length; at += 1) {
    const text = bytes.subarray((edges[at - 1] as number) + 1, edges[at])
    const read = readSlice(Buffer.concat([opening, text, closing])) as readonly JsonValue[]
    // Between two commas, or behind the last, something must stand.
    if (read.length === 0 && cuts.length > 0) throw new SyntaxError('Unexpected token: a list has a comma too many')
    for (const item of read) items.push(item)
    await turn()
  }
  return items
}

const opening = Buffer.from('[')
const closing = Buffer.from(']')

function readSlice(bytes: Buffer): JsonValue {
  const text = utf8.decode(bytes)
  return needsExactNumbers(bytes) ? readJson(text) : (JSON.parse(text) as JsonValue)
}

const [quote, backslash, comma, openList, closeList, openObject, closeObject] = [34, 92, 44, 91, 93, 123, 125]

/** Nothing when the document is not what it looks like; whoever reads it then finds out what is wrong. */
async function findLists(bytes: Buffer, turn: () => Promise<void>, slice: number): Promise<readonly Found[]> {
  const found: Found[] = []
  let list: Found | undefined
  let depth = 0
  let cutAt = 0
  let restedAt = 0
  for (let at = 0; at < bytes.length; at += 1) {
    if (at - restedAt >= scannedBytesPerTurn) {
      restedAt = at
      await turn()
    }
    switch (bytes[at]) {
      case quote:
        at = endOfText(bytes, at + 1)
        break
      case openList:
        if (depth === 0) return []
        if (depth === 1) {
          list = { start: at, end: at, cuts: [] }
          cutAt = at
        }
        depth += 1
        break
      case openObject:
        depth += 1
        break
      case closeList:
      case closeObject:
        depth -= 1
        if (depth === 1 && list) {
          if (bytes[at] !== closeList) return []
          list.end = at + 1
          found.push(list)
          list = undefined
        }
        break
      case comma:
        if (depth === 2 && list && at - cutAt >= slice) {
          list.cuts.push(at)
          cutAt = at
        }
        break
      default:
        break
    }
  }
  return depth === 0 && !list ? found : []
}

/** Where the text that began before `at` has its closing quote. */
function endOfText(bytes: Buffer, at: number): number {
  for (let end = bytes.indexOf(quote, at); end >= 0; end = bytes.indexOf(quote, end + 1)) {
    let slashes = 0
    while (bytes[end - 1 - slashes] === backslash) slashes += 1
    if (slashes % 2 === 0) return end
  }
  return bytes.length
}
