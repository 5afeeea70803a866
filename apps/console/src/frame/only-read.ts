/** What the frame reads for every page below it, and keeps in the address from page to page. */
const ofFrame = 'environment'

/**
 * For a route's `validateSearch`: the router lays what that answers over the raw address, so that a parameter that was
 * refused, or read under another name, would still reach the page. Here it does not: the page sees what `read` answers.
 */
export function onlyRead<Search extends object>(
  read: (search: Record<string, unknown>) => Search,
): (search: Record<string, unknown>) => Search {
  return (search) => {
    const dropped = Object.keys(search).filter((name) => name !== ofFrame)
    return Object.assign(Object.fromEntries(dropped.map((name) => [name, undefined])), read(search))
  }
}
