import type { Ruleset } from './model.ts'

/** Whether two documents mean the same, wherever in their text it stands and in whichever vocabulary. */
export function sameRuleset(a: Ruleset, b: Ruleset): boolean {
  return meaningOf(a) === meaningOf(b)
}

/** Any part of a model as text that is equal when the meaning is: positions and dialect left out, keys sorted. */
export function meaningOf(value: unknown): string {
  return JSON.stringify(value, (key, one: unknown) => {
    if (key === 'line' || key === 'endLine' || key === 'dialect') return typeof one === 'object' ? one : undefined
    return isObject(one) ? sorted(one) : one
  })
}

function sorted(object: object): object {
  const made: Record<string, unknown> = Object.create(null)
  for (const [key, value] of Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1))) made[key] = value
  return made
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
