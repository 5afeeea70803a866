type Item = { readonly id: string }

/** The new list with what is gone from it left in its old place; `gone` names those. */
export function merged<One extends Item>(
  before: readonly One[],
  now: readonly One[],
  stayingMax: number,
): { readonly list: readonly One[]; readonly gone: readonly string[] } {
  const present = new Set(now.map(({ id }) => id))
  const left = before.filter(({ id }) => !present.has(id))
  const staying = left.slice(Math.max(0, left.length - stayingMax))
  const list = [...now]
  for (const item of staying) {
    // After the nearest one before it that is still there.
    const at = before.indexOf(item)
    const anchor = before.slice(0, at).findLast(({ id }) => list.some((other) => other.id === id))
    const place = anchor === undefined ? 0 : list.findIndex(({ id }) => id === anchor.id) + 1
    list.splice(place, 0, item)
  }
  return { list, gone: staying.map(({ id }) => id) }
}
