import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { ApprovalDetail, ApprovalsPage } from '../../api/types.ts'
import type { ApprovalsSearch } from './search.ts'

export const pendingCountQuery = queryOptions({
  queryKey: ['approvals', 'pending count'],
  queryFn: async ({ signal }) => {
    const query = { status: 'pending', limit: 1 }
    const page = await api.get<ApprovalsPage>('/approvals', { query, signal, isBackground: true })
    return page.pending_total
  },
})

export function approvalsQuery(search: ApprovalsSearch, environment: string | undefined) {
  const { view = 'pending', agent, tool, q } = search
  return infiniteQueryOptions({
    queryKey: ['approvals', 'list', { view, agent, tool, q, environment }],
    queryFn: ({ signal, pageParam }) => {
      const status = view === 'all' ? undefined : view
      const query = { status, agent, tool, q, environment, limit: 100, cursor: pageParam }
      return api.get<ApprovalsPage>('/approvals', { query, signal })
    },
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
  })
}

export function approvalQuery(id: string) {
  return queryOptions({
    queryKey: ['approvals', 'one', id],
    queryFn: ({ signal }) => api.get<ApprovalDetail>(`/approvals/${encodeURIComponent(id)}`, { signal }),
  })
}
