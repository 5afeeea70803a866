type Subject = { readonly kind: string; readonly id: string }
type Details = Readonly<Record<string, unknown>>

/** What ids are called now, for entries that name only the id. */
export type Names = ReadonlyMap<string, string>

const text = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '')

const joined = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join(' ')

const named = (before: string, value: unknown): string => (text(value) === '' ? '' : `${before}${text(value)}`)

function ruleIn(details: Details): Details {
  const { after, before } = details
  const side = after ?? before
  return typeof side === 'object' && side !== null ? Object.fromEntries(Object.entries(side)) : {}
}

function agentsOf({ agents, environment }: Details): string {
  const ids = Array.isArray(agents) ? agents.map(text) : []
  if (ids.length === 0) return ''
  const shown = ids.length > 3 ? `${ids.slice(0, 3).join(', ')} and ${ids.length - 3} more` : ids.join(', ')
  return joined(named('to ', shown), named('in ', environment))
}

/** What an act was done to, by the name people know it by: from the entry's own details first, by its id where nothing better is known. */
export function subjectWords({ kind, id }: Subject, details: Details, names: Names = new Map()): string {
  switch (kind) {
    case 'approval':
      return (
        joined(text(details['tool']), named('by ', details['agent_id']), named('in ', details['environment'])) || id
      )
    case 'agent_key':
      return joined(
        text(details['label']) || names.get(id) || text(details['prefix']) || id,
        named('of ', details['environment']),
      )
    case 'assignment_rule': {
      const { pattern, ruleset, environment } = ruleIn(details)
      return joined(text(pattern), named('gets ', ruleset), named('in ', environment)) || id
    }
    case 'ruleset':
      return joined(
        id === '-' ? '' : id,
        named('v', details['version']),
        agentsOf(details) || named('to ', details['environment']),
      )
    case 'agent':
      return joined(id, named('in ', details['environment']))
    case 'environment':
    case 'setting':
    case 'route':
      return id
    default:
      return names.get(id) ?? id
  }
}
