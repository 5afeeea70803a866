import { queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { AgentKey, KeyConsequence, Page, SigningKey } from '../../api/types.ts'

export function keysQuery(environment: string | undefined, revoked: boolean) {
  return queryOptions({
    queryKey: ['keys', { environment, revoked }],
    queryFn: ({ signal }) =>
      api.get<Page<AgentKey>>('/keys', { query: { environment, revoked: revoked || undefined }, signal }),
    // Last use is written by the minute and announced to nobody.
    refetchInterval: 60_000,
  })
}

export function consequenceQuery(id: string) {
  return queryOptions({
    queryKey: ['keys', 'consequence', id],
    queryFn: ({ signal }) => api.get<KeyConsequence>(`/keys/${id}/consequence`, { signal }),
    staleTime: 0,
  })
}

export const signingKeysQuery = queryOptions({
  queryKey: ['signing-keys'],
  queryFn: ({ signal }) => api.get<Page<SigningKey>>('/signing-keys', { signal }),
})
