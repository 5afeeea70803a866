import { queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { Approval } from '../../api/types/approvals.ts'
import type { Page } from '../../api/types/shared.ts'

export const pendingCountQuery = queryOptions({
  queryKey: ['approvals', 'pending count'],
  queryFn: async ({ signal }) => {
    const page = await api.get<Page<Approval>>('/approvals', {
      query: { status: 'pending', limit: 1 },
      signal,
      isBackground: true,
    })
    return page.total ?? page.items.length
  },
})
