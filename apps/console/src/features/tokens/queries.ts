import { queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { Page } from '../../api/types.ts'
import type { ApiToken, ApiTokenChoices } from './types.ts'

export function tokensQuery(revoked: boolean) {
  return queryOptions({
    queryKey: ['tokens', 'list', revoked],
    queryFn: ({ signal }) => api.get<Page<ApiToken>>('/tokens', { query: { revoked: revoked || undefined }, signal }),
    // Last use is written now and then and announced to nobody.
    refetchInterval: 60_000,
  })
}

export const choicesQuery = queryOptions({
  queryKey: ['tokens', 'choices'],
  queryFn: ({ signal }) => api.get<ApiTokenChoices>('/tokens/choices', { signal }),
})

export function pathOf(id: string): string {
  return `/tokens/${encodeURIComponent(id)}`
}
