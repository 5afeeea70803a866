import type { Baseline, BaselinesPreview, EnvironmentBaselines } from '@countersign/wire'
import { queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'

export function baselinesQuery(environment: string) {
  return queryOptions({
    queryKey: ['baselines', 'of', environment],
    queryFn: ({ signal }) => api.get<EnvironmentBaselines>(pathOf(environment), { signal }),
  })
}

export function baselinesPreviewQuery(environment: string, baselines: readonly Baseline[]) {
  return queryOptions({
    queryKey: ['baselines', 'preview', environment, baselines],
    queryFn: ({ signal }) => api.post<BaselinesPreview>(`${pathOf(environment)}/preview`, { baselines }, { signal }),
    staleTime: 0,
    gcTime: 10_000,
  })
}

export function pathOf(environment: string): string {
  return `/environments/${encodeURIComponent(environment)}/baselines`
}

export function isSame(one: readonly Baseline[], other: readonly Baseline[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ ruleset, version }, at) => other[at]?.ruleset === ruleset && other[at]?.version === version)
  )
}
