/** One difference inside of a changed field: where, and what stood there. Null: nothing did. */
export type LeafChange = { readonly path: string; readonly before: string | null; readonly after: string | null }

const fieldWords: Readonly<Record<string, string>> = {
  when: 'condition',
  tool: 'tool',
  tools: 'tools',
  mode: 'mode',
  enabled: 'switched on',
  'then.action': 'what it does',
  'then.effect': 'what it does',
  'then.message': 'message',
  'then.timeout': 'seconds to decide',
  'then.timeout_action': 'when nobody decides',
  'then.timeout_effect': 'when nobody decides',
  'then.tags': 'tags',
  'defaults.mode': 'mode of every rule that says nothing',
  'metadata.description': 'description',
  description: 'description',
  extends: 'what it extends',
}

/** What a field is called among people; unknown ones keep the name they are written with. */
export function wordsOfField(field: string): string {
  return fieldWords[field] ?? field.replace(/^then\./, '')
}

/** A long condition is compared whole by the server; people look for the one number in it that is another. */
export function leafChanges(before: unknown, after: unknown): readonly LeafChange[] {
  const [old, now] = [leavesOf(before), leavesOf(after)]
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((path) => {
    const change = { path, before: old.get(path) ?? null, after: now.get(path) ?? null }
    return change.before === change.after ? [] : [change]
  })
}

function leavesOf(value: unknown, path = '', found = new Map<string, string>()): ReadonlyMap<string, string> {
  if (value === undefined) return found
  const inner = isTree(value) ? Object.entries(value) : []
  if (inner.length === 0) return found.set(path, textOf(value))
  for (const [key, one] of inner) leavesOf(one, path === '' ? key : `${path} › ${key}`, found)
  return found
}

/** Lists of plain values are read as one thing; lists of conditions are walked. */
function isTree(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  return !Array.isArray(value) || value.some((one) => typeof one === 'object' && one !== null)
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value === '' ? 'an empty text' : value
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : value.map(textOf).join(', ')
  return JSON.stringify(value)
}
