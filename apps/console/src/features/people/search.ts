import { readSort, type Sort } from '../../ui/data-table/columns.ts'
import type { PersonStatus } from './types.ts'

export const personStatuses = ['active', 'invited', 'locked', 'suspended'] as const

export type PeopleSearch = {
  readonly sort?: Sort
  /** Words in name or address. */
  readonly q?: string
  readonly standing?: PersonStatus
  readonly role?: string
  /** The drawer that invites somebody. */
  readonly invite?: boolean
}

export function readSearch(search: Record<string, unknown>): PeopleSearch {
  const { q, role, invite } = search
  const standing = personStatuses.find((one) => one === search['standing'])
  return {
    ...((typeof q === 'string' || typeof q === 'number') && q !== '' && { q: String(q) }),
    ...(standing && { standing }),
    ...(typeof role === 'string' && role !== '' && { role }),
    ...(invite === true && { invite }),
    ...readSort(search['sort']),
  }
}
