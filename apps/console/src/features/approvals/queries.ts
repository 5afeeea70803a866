import { queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { ApprovalsPage } from '../../api/types.ts'

export const pendingCountQuery = queryOptions({
  queryKey: ['approvals', 'pending count'],
  queryFn: async ({ signal }) => {
    const query = { status: 'pending', limit: 1 }
    const page = await api.get<ApprovalsPage>('/approvals', { query, signal, isBackground: true })
    return page.pending_total
  },
})
