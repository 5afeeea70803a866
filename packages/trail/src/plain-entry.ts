import { sha256Hex } from '#sha256'
import { isMoment } from './entry.ts'
import type { EntryMac } from './mac.ts'
import { isSorted } from './sorted.ts'
import { leafText } from './tree.ts'

/**
 * The id of an entry that is plainly one, or undefined when it takes a closer look. Verifying a million entries is mostly
 * reading them; nearly all are ASCII without escapes, and a text that this pattern takes apart into valid parts is the
 * canonical writing of a valid entry. `readEntry` stays the judge: whatever is not recognized here is given to it.
 */
export function plainEntryId(bytes: Uint8Array): string | undefined {
  if (bytes.length > bytesMax) return undefined
  return idIn(form.exec(latin1(bytes)))
}

/** An entry's line of an export, whose leaf hash was recomputed. */
export type PlainLine = {
  readonly number: number
  readonly bytes: Uint8Array
  readonly id: string
  /** In hexadecimal. */
  readonly leaf: string
  readonly mac?: EntryMac
}

/** The same for a line of an export: undefined unless it is plainly an entry that was not changed. */
export function readPlainLine(line: Uint8Array): PlainLine | undefined {
  const found = lineForm.exec(latin1(line))
  const id = idIn(found)
  if (!found || id === undefined) return undefined
  const [leaf, mac, key = '', digits = ''] = [found[13], found[14], found[15], found[16]]
  const tail = tailBytes + digits.length + (mac === undefined ? 0 : macBytes)
  const bytes = line.subarray(headBytes, line.length - tail)
  const number = Number(digits)
  if (bytes.length > bytesMax || !Number.isSafeInteger(number)) return undefined
  if (leaf === undefined || sha256Hex(leafText(bytes)) !== leaf) return undefined
  return { number, bytes, id, leaf, ...(mac !== undefined && { mac: { key, value: Buffer.from(mac, 'hex') } }) }
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

function idIn(found: RegExpExecArray | null): string | undefined {
  if (!found) return undefined
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
const word = '[a-z][a-z0-9_]*'
const box = '\\{"box":"[A-Za-z0-9_-]{2,}","key":"[A-Za-z0-9_-]{43}"\\}'
// Printable ASCII without quotes and without escapes, so that a quote ends a string and characters are bytes. How long it is
// is looked at afterwards: a pattern that counts is a slow one.
const any = '"([ !#-\\[\\]-~]+)"'

// Members in the order of their names, as RFC 8785 writes them; `details` is judged by itself.
const entry =
  `\\{"act":"(${word}(?:\\.${word})+)"` +
  `,"actor":\\{(?:"credential":"(${word})",)?"id":${any}(?:,"key_id":${any})?` +
  ',"kind":"(?:person|agent_key|api_token|system|anyone)"\\}' +
  ',"at":"(\\d{4}-\\d\\d-\\d\\d)T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d\\.\\d{3}Z"' +
  ',"details":(\\{[ -\\[\\]-~]*?\\})' +
  ',"id":"([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})"' +
  `,"outcome":"(${word})"` +
  `,"request":\\{(?:"id":${any})?\\}` +
  `(?:,"sealed":\\[${box}(?:,${box}){0,15}\\])?` +
  `,"subject":\\{"id":${any},"kind":"(${word})"\\}` +
  `,"tenant":(?:null|${any}),"v":1\\}`

const form = new RegExp(`^${entry}$`)
const lineForm = new RegExp(
  `^\\{"entry":${entry},"leaf":"([0-9a-f]{64})"` +
    '(?:,"mac":"([0-9a-f]{64})","mac_key":"([0-9a-f]{16})")?,"number":(0|[1-9]\\d{0,15})\\}$',
)
const headBytes = '{"entry":'.length
const tailBytes = ',"leaf":"","number":}'.length + 64
const macBytes = ',"mac":"","mac_key":""'.length + 64 + 16

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
