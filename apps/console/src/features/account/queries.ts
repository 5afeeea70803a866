import { queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { FactorStatus, SessionRow } from '../../api/types.ts'

export const factorsQuery = queryOptions({
  queryKey: ['mfa'],
  queryFn: ({ signal }) => api.get<FactorStatus>('/mfa', { signal }),
})

export const sessionsQuery = queryOptions({
  queryKey: ['sessions'],
  queryFn: ({ signal }) => api.get<{ readonly items: readonly SessionRow[] }>('/sessions', { signal }),
})
