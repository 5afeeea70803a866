import { queryOptions } from '@tanstack/react-query'
import { api } from './client.ts'
import type { SetupState } from './types.ts'

export const setupQuery = queryOptions({
  queryKey: ['setup'],
  queryFn: ({ signal }) => api.get<SetupState>('/setup', { signal }),
  staleTime: 0,
})
