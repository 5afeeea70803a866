import type { JsonObject, JsonValue } from '@countersign/rules'

const depthMax = 200

/** Thrown for what JSON cannot hold; names the place. */
export class NotJson extends Error {
  override readonly name = 'NotJson'
}

/**
 * A copy that nobody else holds: what was decided on is what is run, whatever the caller does to his object meanwhile.
 * Members that are undefined are left out; anything else that JSON cannot hold is refused rather than guessed at.
 */
export function copyJson(value: unknown, path: string): JsonValue {
  return copy(value, path, 0)
}

export function copyArguments(value: unknown): JsonObject {
  if (value === undefined) return {}
  const made = copy(value, 'args', 0)
  if (typeof made !== 'object' || made === null || Array.isArray(made)) {
    throw new NotJson('args must be an object.')
  }
  return made as JsonObject
}

function copy(value: unknown, path: string, depth: number): JsonValue {
  if (depth > depthMax) throw new NotJson(`${path.slice(0, 100)} is nested too deep.`)
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      if (Number.isFinite(value)) return value
      throw new NotJson(`${path} is no number that JSON can hold.`)
    case 'object':
      if (value === null) return null
      if (Array.isArray(value)) return value.map((one, at) => copy(one, `${path}[${at}]`, depth + 1))
      return copyObject(value, path, depth)
    default:
      throw new NotJson(`${path} is a ${typeof value}, which JSON cannot hold.`)
  }
}

function copyObject(value: object, path: string, depth: number): JsonObject {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null && !isForeignPlain(prototype)) {
    throw new NotJson(`${path} is no plain object.`)
  }
  const made: Record<string, JsonValue> = {}
  for (const [key, one] of Object.entries(value)) {
    if (one === undefined) continue
    const copied = copy(one, `${path}.${key}`, depth + 1)
    // A key of that name would otherwise change what the object is.
    if (key === '__proto__') Object.defineProperty(made, key, { value: copied, enumerable: true, configurable: true })
    else made[key] = copied
  }
  return made
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
