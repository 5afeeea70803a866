import { queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { RoleHolders, RoleList } from './types.ts'

export const rolesQuery = queryOptions({
  queryKey: ['roles', 'list'],
  queryFn: ({ signal }) => api.get<RoleList>('/roles', { signal }),
})

export type FactorRoles = { readonly roles: readonly string[] }

/** Roles whose holders need a second factor. */
export const factorRolesQuery = queryOptions({
  queryKey: ['roles', 'factors'],
  queryFn: ({ signal }) => api.get<FactorRoles>('/mfa/required-roles', { signal }),
})

export function holdersQuery(name: string) {
  return queryOptions({
    queryKey: ['roles', 'holders', name],
    queryFn: ({ signal }) => api.get<RoleHolders>(`${pathOf(name)}/holders`, { signal }),
  })
}

export function pathOf(name: string): string {
  return `/roles/${encodeURIComponent(name)}`
}
