import { canonicalBytes, canonicalJson, type Json, type JsonObject } from './canonical-json.ts'
import { isSorted } from './sorted.ts'

/** The longest entry: entry bundles (C2SP tlog-tiles) carry its length in 16 bits. */
export const entryBytesMax = 65_535

export const actorKinds = ['person', 'agent_key', 'api_token', 'system', 'anyone'] as const
export type ActorKind = (typeof actorKinds)[number]

/** Who acted. `anyone` is a caller whom nothing identified; its id is `-`, or a keyed digest of the name it claimed. */
export type Actor = {
  readonly kind: ActorKind
  readonly id: string
  /** What they showed: `session`, `password`, `passkey`, `agent_key`, `api_token`, `setup_token` … */
  readonly credential?: string
  /** Which one: the id of the key or session, never its secret. */
  readonly key_id?: string
}

/** What was acted upon, by kind (`key`, `ruleset`, `route` …) and id. */
export type Subject = { readonly kind: string; readonly id: string }

/** Personal facts, encrypted under one person's key. `key` is the digest of that key, so no other key can ever be put in its place. */
export type SealedFacts = { readonly key: string; readonly box: string }

/**
 * One thing we witnessed, format 1. Its RFC 8785 bytes are what is hashed. It holds no personal data in
 * clear: those are in `sealed`, and destroying a person's key erases them while every hash stays valid.
 */
export type TrailEntry = {
  readonly v: 1
  /** UUIDv7. */
  readonly id: string
  /** ISO 8601 UTC with milliseconds. */
  readonly at: string
  /** Null for what belongs to no tenant: an unknown caller, the installation itself. */
  readonly tenant: string | null
  /** `key.created`, `session.started`, `call.refused` … */
  readonly act: string
  /** `done`, `refused`, `failed`, `intended` … */
  readonly outcome: string
  readonly actor: Actor
  readonly subject: Subject
  readonly request: { readonly id?: string }
  /** Facts about the act, `before` and `after` among them; nothing personal, nothing secret. */
  readonly details: JsonObject
  readonly sealed?: readonly SealedFacts[]
}

/** Thrown for bytes that are not an entry of format 1; the message says where. */
export class NotAnEntry extends Error {
  override readonly name = 'NotAnEntry'
}

/** The bytes of an entry: what is stored and hashed. Refuses an entry that `readEntry` would refuse. */
export function entryBytes(entry: TrailEntry): Uint8Array {
  const bytes = canonicalBytes(checkEntry(entry))
  checkLength(bytes)
  return bytes
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Reads an entry back. Refuses anything that is not exactly the canonical writing of a valid entry, so
 * that duplicate names, other spacing, other number formats or unknown members cannot hide in it.
 */
export function readEntry(bytes: Uint8Array): TrailEntry {
  checkLength(bytes)
  const text = readUtf8(bytes)
  const value = readJson(text)
  if (!isPlainlyCanonical(text, value) && canonicalText(value) !== text)
    throw new NotAnEntry('The bytes are JSON but not its canonical writing (RFC 8785).')
  return checkEntry(value)
}

/**
 * The quick way to know a canonical text, four times as fast: the engine's own JSON writes numbers and strings as RFC 8785
 * does, so that only the order of names is left to look at. A lone surrogate needs the careful way.
 */
function isPlainlyCanonical(text: string, value: unknown): boolean {
  return !text.includes('\\ud') && JSON.stringify(value) === text && isSorted(value, 0)
}

function readUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new NotAnEntry('The bytes are not UTF-8.', { cause })
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new NotAnEntry('The bytes are not JSON.', { cause })
  }
}

function canonicalText(value: unknown): string {
  try {
    return canonicalJson(value)
  } catch (cause) {
    throw new NotAnEntry(`The bytes are not canonical JSON: ${cause instanceof Error ? cause.message : ''}`, { cause })
  }
}

function checkLength(bytes: Uint8Array): void {
  if (bytes.length > entryBytesMax)
    throw new NotAnEntry(`The entry is ${bytes.length} bytes long; the most is ${entryBytesMax}.`)
}

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const timeForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const actForm = /^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+$/
const wordForm = /^[a-z][a-z0-9_]*$/
const keyForm = /^[A-Za-z0-9_-]{43}$/
const boxForm = /^[A-Za-z0-9_-]{2,}$/

function checkEntry(value: unknown): TrailEntry {
  const entry = members(
    value,
    'the entry',
    ['v', 'id', 'at', 'tenant', 'act', 'outcome', 'actor', 'subject', 'request', 'details'],
    ['sealed'],
  )
  if (entry['v'] !== 1) throw new NotAnEntry(`v is ${JSON.stringify(entry['v'])}; this verifier knows format 1.`)
  const actor = members(entry['actor'], 'actor', ['kind', 'id'], ['credential', 'key_id'])
  const kind = actorKinds.find((known) => known === actor['kind'])
  if (kind === undefined) throw new NotAnEntry(`actor.kind is none of ${actorKinds.join(', ')}.`)
  const subject = members(entry['subject'], 'subject', ['kind', 'id'], [])
  const request = members(entry['request'], 'request', [], ['id'])
  // Members in the order in which RFC 8785 writes them, so that writing takes the quick way.
  return {
    act: text(entry['act'], 'act', 100, actForm),
    actor: {
      ...(actor['credential'] !== undefined && {
        credential: text(actor['credential'], 'actor.credential', 40, wordForm),
      }),
      id: text(actor['id'], 'actor.id', 400),
      ...(actor['key_id'] !== undefined && { key_id: text(actor['key_id'], 'actor.key_id', 200) }),
      kind,
    },
    at: instant(entry['at']),
    details: jsonObject(entry['details'], 'details'),
    id: text(entry['id'], 'id', 36, uuidForm),
    outcome: text(entry['outcome'], 'outcome', 40, wordForm),
    request: request['id'] === undefined ? {} : { id: text(request['id'], 'request.id', 200) },
    ...(entry['sealed'] !== undefined && { sealed: sealedFacts(entry['sealed']) }),
    subject: {
      id: text(subject['id'], 'subject.id', 2000),
      kind: text(subject['kind'], 'subject.kind', 100, wordForm),
    },
    tenant: entry['tenant'] === null ? null : text(entry['tenant'], 'tenant', 200),
    v: 1,
  }
}

type Members = { readonly [name: string]: unknown }

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function members(value: unknown, where: string, required: readonly string[], optional: readonly string[]): Members {
  if (!isObject(value)) throw new NotAnEntry(`${where} is not an object.`)
  for (const name of required) if (!Object.hasOwn(value, name)) throw new NotAnEntry(`${where} has no "${name}".`)
  for (const name of Object.keys(value)) {
    if (!required.includes(name) && !optional.includes(name))
      throw new NotAnEntry(`${where} has a member "${name}" that format 1 does not know.`)
  }
  return value
}

function text(value: unknown, where: string, lengthMax: number, form?: RegExp): string {
  if (typeof value !== 'string' || value === '')
    throw new NotAnEntry(`${where} is not a text of at least one character.`)
  if (value.length > lengthMax) throw new NotAnEntry(`${where} is longer than ${lengthMax} characters.`)
  if (form && !form.test(value))
    throw new NotAnEntry(`${where} does not have the form of one: ${JSON.stringify(value.slice(0, 100))}.`)
  return value
}

function instant(value: unknown): string {
  const written = text(value, 'at', 24, timeForm)
  if (!isMoment(written)) throw new NotAnEntry(`at is no moment in time: ${written}.`)
  return written
}

/** Whether a text of the right form is a moment of the calendar and the clock. */
export function isMoment(written: string): boolean {
  const part = (start: number, end: number): number => Number(written.slice(start, end))
  const isDay = part(8, 10) >= 1 && part(8, 10) <= daysOf(part(0, 4), part(5, 7))
  return isDay && part(11, 13) <= 23 && part(14, 16) <= 59 && part(17, 19) <= 59
}

/** How many days the month has; none when there is no such month. */
function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return [31, 0, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0
}

function jsonObject(value: unknown, where: string): JsonObject {
  if (!isJsonObject(value)) throw new NotAnEntry(`${where} is not an object.`)
  return value
}

/** Members were checked one by one when the canonical text was written. */
function isJsonObject(value: unknown): value is { readonly [name: string]: Json } {
  return isObject(value)
}

function sealedFacts(value: unknown): readonly SealedFacts[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > 16)
    throw new NotAnEntry('sealed is not a list of 1 to 16 boxes.')
  return value.map((item: unknown, i) => {
    const box = members(item, `sealed/${i}`, ['key', 'box'], [])
    return {
      box: text(box['box'], `sealed/${i}/box`, entryBytesMax, boxForm),
      key: text(box['key'], `sealed/${i}/key`, 43, keyForm),
    }
  })
}
