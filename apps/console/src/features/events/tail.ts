type Item = { readonly id: string; readonly at: string }
type Page<One> = { readonly items: readonly One[]; readonly next_cursor: string | null }

/** How many rows a list that only ever grew may hold before it begins anew. */
const keptMax = 2000

/**
 * The newest page laid over what is shown, as one page. Where the two do not meet, more came than a page holds: what is
 * below would have a gap above it, so the list begins anew. An arrival whose time lies further down than a page is only
 * seen when the list is read anew.
 */
export function joined<One extends Item, Whole extends Page<One>>(shown: readonly Whole[], newest: Whole): Whole {
  const old = shown.flatMap(({ items }) => items)
  const last = newest.items.at(-1)
  const known = new Set(old.map(({ id }) => id))
  if (newest.next_cursor === null) return newest
  const end = shown.at(-1)
  // A search for a rare text may run out of time before it finds the first one.
  if (last === undefined) return end ? { ...end, items: old } : newest
  if (!newest.items.some(({ id }) => known.has(id))) return newest
  const fresh = new Set(newest.items.map(({ id }) => id))
  const at = old.findIndex(({ id }) => id === last.id)
  // The last of the new page may itself be a late arrival that the old list never had.
  const below = at >= 0 ? old.slice(at + 1) : old.filter((item) => item.at <= last.at)
  const rest = below.filter(({ id }) => !fresh.has(id))
  if (newest.items.length + rest.length > keptMax) return newest
  return { ...(end ?? newest), items: [...newest.items, ...rest] }
}

/** How many of the newest page are not shown yet; `isMore` when the two do not meet, so that there may be more. */
export function newIn(
  shown: readonly Page<Item>[],
  newest: Page<Item>,
): { readonly count: number; readonly isMore: boolean } {
  const known = new Set(shown.flatMap(({ items }) => items.map(({ id }) => id)))
  const count = newest.items.filter(({ id }) => !known.has(id)).length
  return { count, isMore: count > 0 && count === newest.items.length && newest.next_cursor !== null }
}
