import type { RolloutTrial } from '@countersign/wire'
import { infiniteQueryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { Page } from '../../api/types.ts'

export function trialsQuery(ruleset: string) {
  return infiniteQueryOptions({
    queryKey: ['trials', 'list', ruleset],
    queryFn: ({ signal, pageParam }) =>
      api.get<Page<RolloutTrial>>('/trials', { query: { ruleset, limit: 50, cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
    // The calls it would have stopped are counted by the server every few seconds and announced to nobody.
    refetchInterval: ({ state }) =>
      state.data?.pages.some(({ items }) => items.some(isObserving)) === true ? 10_000 : false,
  })
}

/** Whether it will enforce by itself when its condition holds. */
export function isObserving({ status }: Pick<RolloutTrial, 'status'>): boolean {
  return status === 'observing' || status === 'enforcing'
}

/** Whether a person can still say what becomes of it. */
export function isUndecided(trial: Pick<RolloutTrial, 'status'>): boolean {
  return isObserving(trial) || trial.status === 'stopped'
}
