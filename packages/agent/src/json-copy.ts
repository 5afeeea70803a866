import type { JsonObject, JsonValue } from '@countersign/rules'

const depthMax = 200

/** Thrown for what JSON cannot hold; names the place. */
export class NotJson extends Error {
  override readonly name = 'NotJson'
}

/** What is wrong, on its way out of the value: each level puts its own name before. */
class Misfit extends Error {
  place = ''
}

/**
 * A copy that nobody else holds: what was decided on is what is run, whatever the caller does to his object meanwhile.
 * Members that are undefined are left out; anything else that JSON cannot hold is refused rather than guessed at.
 */
export function copyJson(value: unknown, name: string): JsonValue {
  try {
    return copy(value, 0)
  } catch (cause) {
    if (!(cause instanceof Misfit)) throw cause
    throw new NotJson(`${name}${cause.place.slice(0, 200)} ${cause.message}`)
  }
}

export function copyArguments(value: unknown): JsonObject {
  if (value === undefined) return {}
  const made = copyJson(value, 'args')
  if (typeof made !== 'object' || made === null || Array.isArray(made)) {
    throw new NotJson('args must be an object.')
  }
  return made as JsonObject
}

function copy(value: unknown, depth: number): JsonValue {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      if (Number.isFinite(value)) return value
      throw new Misfit('is no number that JSON can hold.')
    case 'object':
      if (value === null) return null
      if (depth >= depthMax) throw new Misfit('is nested too deep.')
      return Array.isArray(value)
        ? copyList(value, depth)
        : copyObject(value as Readonly<Record<string, unknown>>, depth)
    default:
      throw new Misfit(`is a ${typeof value}, which JSON cannot hold.`)
  }
}

function copyList(list: readonly unknown[], depth: number): JsonValue[] {
  const made: JsonValue[] = []
  for (let at = 0; at < list.length; at += 1) {
    try {
      made.push(copy(list[at], depth + 1))
    } catch (cause) {
      throw placed(cause, `[${at}]`)
    }
  }
  return made
}

function copyObject(value: Readonly<Record<string, unknown>>, depth: number): JsonObject {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null && !isForeignPlain(prototype)) {
    throw new Misfit('is no plain object.')
  }
  const made: Record<string, JsonValue> = {}
  for (const key of Object.keys(value)) {
    try {
      const one = value[key]
      if (one === undefined) continue
      const copied = copy(one, depth + 1)
      // A key of that name would otherwise change what the object is.
      if (key === '__proto__') Object.defineProperty(made, key, { value: copied, enumerable: true, configurable: true })
      else made[key] = copied
    } catch (cause) {
      throw placed(cause, `.${key}`)
    }
  }
  return made
}

function placed(cause: unknown, step: string): unknown {
  if (cause instanceof Misfit && cause.place.length < 200) cause.place = step + cause.place
  return cause
}

/** `Object.prototype` of another realm, as test runners and sandboxes have. */
function isForeignPlain(prototype: unknown): boolean {
  return (
    typeof prototype === 'object' &&
    prototype !== null &&
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, 'hasOwnProperty')
  )
}
