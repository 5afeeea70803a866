import { queryOptions } from '@tanstack/react-query'
import { api } from './client.ts'

type SetupState = { readonly done: boolean; readonly needs_token: boolean }

export const setupQuery = queryOptions({
  queryKey: ['setup'],
  queryFn: ({ signal }) => api.get<SetupState>('/setup', { signal }),
  staleTime: 0,
})
