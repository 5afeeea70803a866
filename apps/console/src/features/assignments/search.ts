export const tabs = ['rules', 'named', 'why'] as const
export type Tab = (typeof tabs)[number]

export type AssignmentsSearch = {
  readonly tab?: Tab
  /** The rule whose drawer is open; `new` for one that is being made. */
  readonly rule?: string
  /** The drawer that gives agents a ruleset by name. */
  readonly assign?: boolean
  /** The agent that is asked about, and where it runs. */
  readonly agent?: string
  readonly in?: string
}

export function readSearch(search: Record<string, unknown>): AssignmentsSearch {
  const tab = tabs.find((known) => known === search['tab'])
  const text = (value: unknown): string | undefined =>
    (typeof value === 'string' || typeof value === 'number') && value !== '' ? String(value) : undefined
  const [rule, agent, place] = [text(search['rule']), text(search['agent']), text(search['in'])]
  return {
    ...(tab && tab !== 'rules' && { tab }),
    ...(rule && { rule }),
    ...(search['assign'] === true && { assign: true }),
    ...(agent && { agent }),
    ...(place && { in: place }),
  }
}
