import { isMoment } from './entry.ts'
import { isSorted } from './sorted.ts'

/**
 * The id of an entry that is plainly one, or undefined when it takes a closer look. Verifying a million entries is mostly
 * reading them; nearly all are ASCII without escapes, and a text that this pattern takes apart into valid parts is the
 * canonical writing of a valid entry. `readEntry` stays the judge: whatever is not recognized here is given to it.
 */
export function plainEntryId(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  if (odd.test(text)) return undefined
  const found = form.exec(text)
  if (!found || bytes.length > bytesMax) return undefined
  for (const [place, max] of lengths) if ((found[place]?.length ?? 0) > max) return undefined
  const [, , , , , day = '', details = '', id] = found
  return isKnownDay(day) && isPlainObject(details) ? id : undefined
}

let lastDay = ''

/** Entries come in order of time, so that nearly always the day is that of the one before. */
function isKnownDay(day: string): boolean {
  if (day === lastDay) return true
  if (!isMoment(`${day}T00:00:00.000Z`)) return false
  lastDay = day
  return true
}

const bytesMax = 65_535
/** Anything but printable ASCII, and every escape: without them a quote ends a string, and characters are bytes. */
const odd = /[^\x20-\x5b\x5d-\x7e]/
const word = '[a-z][a-z0-9_]*'
const box = '\\{"box":"[A-Za-z0-9_-]{2,}","key":"[A-Za-z0-9_-]{43}"\\}'
// Its length is looked at afterwards: a pattern that counts is a slow one.
const any = '"([^"]+)"'

// Members in the order of their names, as RFC 8785 writes them; `details` is judged by itself.
const form = new RegExp(
  `^\\{"act":"(${word}(?:\\.${word})+)"` +
    `,"actor":\\{(?:"credential":"(${word})",)?"id":${any}(?:,"key_id":${any})?` +
    ',"kind":"(?:person|agent_key|api_token|system|anyone)"\\}' +
    ',"at":"(\\d{4}-\\d\\d-\\d\\d)T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d\\.\\d{3}Z"' +
    ',"details":(\\{.*\\})' +
    ',"id":"([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})"' +
    `,"outcome":"(${word})"` +
    `,"request":\\{(?:"id":${any})?\\}` +
    `(?:,"sealed":\\[${box}(?:,${box}){0,15}\\])?` +
    `,"subject":\\{"id":${any},"kind":"(${word})"\\}` +
    `,"tenant":(?:null|${any}),"v":1\\}$`,
)

/** By place in the pattern: act, credential, actor's id, key's id, outcome, request's id, subject's id and kind, tenant. */
const lengths: readonly (readonly [place: number, max: number])[] = [
  [1, 100],
  [2, 40],
  [3, 400],
  [4, 200],
  [8, 40],
  [9, 200],
  [10, 2000],
  [11, 100],
  [12, 200],
]

/** Neighbors often say the same: one call after the other, nothing at all. */
let lastDetails = '{}'

/** A part that is canonical JSON by itself is so within the whole. */
function isPlainObject(json: string): boolean {
  if (json === lastDetails) return true
  try {
    const value: unknown = JSON.parse(json)
    // The object around it takes one level of the depth there may be.
    const isPlain = JSON.stringify(value) === json && isSorted(value, 1)
    if (isPlain) lastDetails = json
    return isPlain
  } catch {
    // Taken apart at the wrong place, or no JSON: the careful way tells.
    return false
  }
}
