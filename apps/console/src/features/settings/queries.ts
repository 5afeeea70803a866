import { queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { ApprovalPolicy, Environment, Page, Setting, SigningKeyFollowers } from '../../api/types.ts'

export const settingsQuery = queryOptions({
  queryKey: ['settings'],
  queryFn: ({ signal }) => api.get<{ readonly items: readonly Setting[] }>('/settings', { signal }),
})

export const environmentsQuery = queryOptions({
  queryKey: ['environments'],
  queryFn: ({ signal }) => api.get<Page<Environment>>('/environments', { signal }),
})

export function policiesQuery(environment: string) {
  return queryOptions({
    queryKey: ['environments', environment, 'approval-policies'],
    queryFn: ({ signal }) =>
      api.get<{ readonly policies: readonly ApprovalPolicy[] }>(
        `/environments/${encodeURIComponent(environment)}/approval-policies`,
        {
          signal,
        },
      ),
  })
}

export function followersQuery(id: string) {
  return queryOptions({
    queryKey: ['signing-keys', 'followers', id],
    queryFn: ({ signal }) => api.get<SigningKeyFollowers>(`/signing-keys/${id}/followers`, { signal }),
    staleTime: 0,
  })
}
