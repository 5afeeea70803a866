import { identityOf } from './identity.ts'
import type { RecordedEvent } from './recorded-call.ts'

type ByArgs<Group> = Map<string, Group>
type ByPrincipal<Group> = Map<string, ByArgs<Group>>

/**
 * Finds the group of a call among millions: by its words, who asked, and its arguments, each a step of its own, so that no
 * long key is put together for every event.
 */
export function callGroups<Group>(make: (event: RecordedEvent) => Group) {
  let byWords = new Map<string, Map<string, ByPrincipal<Group>>>()
  let size = 0

  const placeOf = ({ tool, environment, action, mode, rule }: RecordedEvent, source: string): ByPrincipal<Group> => {
    const places = within(byWords, tool, () => new Map<string, ByPrincipal<Group>>())
    // Nearly all calls were allowed under one mode in one environment: those words are put together once a tool.
    const words = `${environment}\n${action}\n${mode}\n${rule}\n${source}`
    return within(places, words, () => new Map<string, ByArgs<Group>>())
  }

  return {
    size: () => size,
    of: (event: RecordedEvent): Group => {
      const { args, principal, source } = identityOf(event.payload, event.action !== 'call_allowed')
      const groups = within(placeOf(event, source), principal, () => new Map<string, Group>())
      const known = groups.get(args)
      if (known !== undefined) return known
      const made = make(event)
      // A piece of a payload would keep all of it in memory.
      groups.set(ownText(args), made)
      size += 1
      return made
    },
    /** Every group, after which there are none. */
    drain: (take: (group: Group) => void): void => {
      for (const places of byWords.values())
        for (const principals of places.values())
          for (const groups of principals.values()) for (const group of groups.values()) take(group)
      byWords = new Map()
      size = 0
    },
  }
}

function within<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(ownText(key), made)
  return made
}

/** The same text in memory of its own. */
function ownText(text: string): string {
  return text.length < 13 ? text : [text.slice(0, 1), text.slice(1)].join('')
}
