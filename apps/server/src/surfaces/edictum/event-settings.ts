import { Type } from '@countersign/wire'
import type { Events } from '../../features/events/index.ts'
import { type Route, route } from '../../features/roles/index.ts'

/** `DELETE settings/purge-events`, as scripts of the older console call it (console §15.5). */
export function eventSettingRoutes(purge: Events['purge']): readonly Route[] {
  return [
    route({
      does: 'Remove old events',
      method: 'DELETE',
      path: '/settings/purge-events',
      needs: 'events:purge',
      factor: 'always',
      query: Type.Object({ older_than_days: Type.Integer({ minimum: 1, maximum: 36_500 }) }),
      handle: async ({ who, query, facts }) => {
        const { deletedCount, cutoff } = await purge(who, query.older_than_days, facts)
        return { deleted_count: deletedCount, cutoff: cutoff.toISOString() }
      },
    }),
  ]
}
