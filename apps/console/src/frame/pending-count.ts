import { useQuery } from '@tanstack/react-query'
import { useCan } from '../api/session.ts'
import { pendingCountQuery } from '../features/approvals/queries.ts'

/** How many calls are held now, in all environments: narrowing a page must not hide that somebody waits. */
export function usePendingCount(): number {
  const may = useCan('approvals:read')
  return useQuery({ ...pendingCountQuery, enabled: may }).data ?? 0
}
