import { jsonDepthMax } from './canonical-json.ts'

/** Whether the names of every object within come in the order RFC 8785 asks for. */
export function isSorted(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (depth >= jsonDepthMax) return false
  if (Array.isArray(value)) return value.every((item) => isSorted(item, depth + 1))
  let before: string | undefined
  for (const [name, item] of Object.entries(value)) {
    if (before !== undefined && name <= before) return false
    if (typeof item === 'object' && !isSorted(item, depth + 1)) return false
    before = name
  }
  return true
}
