import {
  type Actor,
  canonicalJson,
  type Json,
  type JsonObject,
  type Subject,
  type TrailEntry,
} from '@countersign/trail'

/** One thing somebody did or was refused, as the features tell it. */
export type Act = {
  /** Null for what belongs to no tenant: an unknown caller, the installation itself. */
  readonly tenant: string | null
  /** A noun and what happened to it: `key.created`, `session.started`, `call.refused` … */
  readonly act: string
  /** By default `done`. */
  readonly outcome?: ActOutcome
  readonly actor: Actor
  readonly subject: Subject
  readonly request?: RequestFacts
  /** Facts, `before` and `after` among them. Nothing personal, nothing secret: this part can never be erased. */
  readonly details?: JsonObject
  /** What must be erasable: names, e-mail addresses, telephone numbers. Each part is sealed under the key of the one it is about. */
  readonly personal?: { readonly actor?: JsonObject; readonly subject?: JsonObject }
}

/** `unknown`: an effect that may have happened. The format takes any word; these are the ones we write. */
export type ActOutcome = 'done' | 'refused' | 'failed' | 'held' | 'intended' | 'unknown'

/** Address and user agent are personal: they are sealed with the actor's facts without being asked. */
export type RequestFacts = { readonly id?: string; readonly address?: string; readonly userAgent?: string }

/** The facts to be sealed for one entry, by the one they are about. */
export type PersonalFacts = { readonly dataSubject: string; readonly facts: JsonObject }

type Unsealed = Omit<TrailEntry, 'sealed'>

// Together with texts whose every character takes six bytes, these stay below the longest entry.
const detailsBytesMax = 24_000
const personalBytesMax = 4_000
const depthMax = 32

/**
 * The entry of an act, without its sealed part. Whatever a stranger can choose (paths, user agents, names)
 * is made to fit and never refused: nobody may escape the record by being odd.
 */
export function entryOf(act: Act, id: string, at: Date): Unsealed {
  return {
    v: 1,
    id,
    at: at.toISOString(),
    tenant: act.tenant,
    act: act.act,
    outcome: act.outcome ?? 'done',
    actor: {
      kind: act.actor.kind,
      id: fitText(act.actor.id, 400),
      ...(act.actor.credential !== undefined && { credential: act.actor.credential }),
      ...(act.actor.key_id !== undefined && { key_id: fitText(act.actor.key_id, 200) }),
    },
    subject: { kind: act.subject.kind, id: fitText(act.subject.id, 2000) },
    request: act.request?.id === undefined ? {} : { id: fitText(act.request.id, 200) },
    details: fitObject(act.details ?? {}, detailsBytesMax),
  }
}

/** What has to be sealed, one part a person, so that erasing one leaves what is told of the other. */
export function personalFactsOf(act: Act, at: Date): readonly PersonalFacts[] {
  const { address, userAgent } = act.request ?? {}
  const request = {
    ...(address !== undefined && { address: fitText(address, 100) }),
    ...(userAgent !== undefined && { user_agent: fitText(userAgent, 500) }),
  }
  const about = new Map<string, JsonObject>()
  const add = (dataSubject: string, part: string, facts: JsonObject | undefined): void => {
    if (facts === undefined || Object.keys(facts).length === 0) return
    about.set(dataSubject, { ...about.get(dataSubject), [part]: fitObject(facts, personalBytesMax) })
  }
  const actor = dataSubjectOf(act.actor, at)
  add(actor, 'actor', act.personal?.actor)
  add(actor, 'request', request)
  add(dataSubjectOf(act.subject, at), 'subject', act.personal?.subject)
  return [...about].map(([dataSubject, facts]) => ({ dataSubject, facts }))
}

/** Strangers share a key a month, so that what is known of them can be erased by age. */
export function dataSubjectOf(whom: { readonly kind: string; readonly id: string }, at: Date): string {
  return whom.kind === 'anyone' ? `anyone:${at.toISOString().slice(0, 7)}` : `${whom.kind}:${fitText(whom.id, 400)}`
}

/** An object too long for an entry is replaced by its beginning and its length: cut, but never silently. */
function fitObject(object: JsonObject, bytesMax: number): JsonObject {
  const fitted = isFit(object, 1) ? object : fitMembers(object, 1)
  if (mostBytes(fitted, bytesMax) <= bytesMax) return fitted
  const written = canonicalJson(fitted)
  const bytes = Buffer.byteLength(written)
  return bytes <= bytesMax ? fitted : { cut: true, bytes, begins: fitText(written, 1000) }
}

/** No fewer than the bytes it takes to write it, without writing it; stops counting when there are too many. */
function mostBytes(value: Json, enough: number): number {
  // No unit of UTF-16 takes more than six bytes, escaped; no number more than 24 digits, signs and points.
  if (typeof value === 'string') return value.length * 6 + 2
  if (typeof value !== 'object' || value === null) return 25
  const parts = isList(value) ? value.entries() : Object.entries(value)
  let bytes = 2
  for (const [name, item] of parts) {
    bytes += String(name).length * 6 + 4 + mostBytes(item, enough - bytes)
    if (bytes > enough) break
  }
  return bytes
}

/** Whether fitting would leave it as it is, which is nearly always so and quicker to see than to do. */
function isFit(value: Json, depth: number): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || value === null) return typeof value === 'boolean' || value === null
  if (depth > depthMax) return false
  if (isList(value)) return value.every((item) => isFit(item, depth + 1))
  let before = ''
  for (const name in value) {
    const item = value[name]
    if (name < before || item === undefined || !name.isWellFormed() || !isFit(item, depth + 1)) return false
    before = name
  }
  return true
}

function fitJson(value: Json, depth: number): Json {
  if (typeof value === 'string') return escapeSurrogates(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= depthMax) return '…'
  return isList(value) ? value.map((item) => fitJson(item, depth + 1)) : fitMembers(value, depth + 1)
}

function fitMembers(object: JsonObject, depth: number): JsonObject {
  const members = Object.entries(object)
  // In the order in which they will be written, which is then done the quick way.
  if (members.length > 1) members.sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(members.map(([name, value]) => [escapeSurrogates(name), fitJson(value, depth)]))
}

function isList(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value)
}

function fitText(text: string, lengthMax: number): string {
  if (text === '') return '-'
  const escaped = escapeSurrogates(text)
  return escaped.length <= lengthMax ? escaped : `${escaped.slice(0, lengthMax - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

/** A lone surrogate cannot be written in UTF-8; its escape can, and shows what was there. */
function escapeSurrogates(text: string): string {
  if (text.isWellFormed()) return text
  return text.replace(/\p{Surrogate}/gu, (lone) => `\\u${lone.charCodeAt(0).toString(16)}`)
}
