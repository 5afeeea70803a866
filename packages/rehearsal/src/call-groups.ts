import { identityOf, ownText } from './identity.ts'
import type { RecordedEvent } from './recorded-call.ts'

type ByArgs<Group> = Map<string, Group>
type ByPrincipal<Group> = Map<string, ByArgs<Group>>

/** Calls of one tool that were decided in the same words. */
interface Place<Group> {
  readonly environment: string
  readonly action: string
  readonly mode: string
  readonly rule: string
  readonly source: string
  readonly groups: ByPrincipal<Group>
}

/** Of one tool; more would be looked through one by one. */
const placesListed = 16

/**
 * Finds the group of a call among millions: by its words, who asked, and its arguments, each a step of its own, so that no
 * long key is put together for every event.
 */
export function callGroups<Group>(make: (event: RecordedEvent) => Group) {
  let byTool = new Map<string, { listed: Place<Group>[]; more: Map<string, ByPrincipal<Group>> }>()
  let size = 0

  const placeOf = ({ tool, environment, action, mode, rule }: RecordedEvent, source: string): ByPrincipal<Group> => {
    let places = byTool.get(tool)
    if (!places) {
      places = { listed: [], more: new Map() }
      byTool.set(ownText(tool), places)
    }
    // Nearly all calls were allowed under one mode in one environment: comparing is quicker than putting a key together.
    for (const place of places.listed) {
      const isSame =
        place.action === action &&
        place.rule === rule &&
        place.environment === environment &&
        place.mode === mode &&
        place.source === source
      if (isSame) return place.groups
    }
    const groups: ByPrincipal<Group> = new Map()
    if (places.listed.length < placesListed) {
      places.listed.push({ environment, action, mode, rule, source: ownText(source), groups })
      return groups
    }
    return within(places.more, `${environment}\n${action}\n${mode}\n${rule}\n${source}`, () => groups)
  }

  return {
    size: () => size,
    of: (event: RecordedEvent): Group => {
      const { args, principal, source } = identityOf(event.payload, event.action !== 'call_allowed')
      const groups = within(placeOf(event, source), principal, () => new Map<string, Group>())
      const known = groups.get(args)
      if (known !== undefined) return known
      const made = make(event)
      groups.set(ownText(args), made)
      size += 1
      return made
    },
    /** Every group, after which there are none. */
    drain: (take: (group: Group) => void): void => {
      for (const { listed, more } of byTool.values())
        for (const principals of [...listed.map(({ groups }) => groups), ...more.values()])
          for (const groups of principals.values()) for (const group of groups.values()) take(group)
      byTool = new Map()
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
