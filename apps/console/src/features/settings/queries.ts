import { queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { Environment, Page, Setting, SigningKeyFollowers } from '../../api/types.ts'

export const settingsQuery = queryOptions({
  queryKey: ['settings'],
  queryFn: ({ signal }) => api.get<{ readonly items: readonly Setting[] }>('/settings', { signal }),
})

export const environmentsQuery = queryOptions({
  queryKey: ['environments'],
  queryFn: ({ signal }) => api.get<Page<Environment>>('/environments', { signal }),
})

export function followersQuery(id: string) {
  return queryOptions({
    queryKey: ['signing-keys', 'followers', id],
    queryFn: ({ signal }) => api.get<SigningKeyFollowers>(`/signing-keys/${id}/followers`, { signal }),
    staleTime: 0,
  })
}
