import {
  type Hold,
  hold,
  holdDraft,
  holdLift,
  holdList,
  idText,
  removedPage,
  removedQuery,
  retentionState as stateSchema,
  Type,
} from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { type Route, route } from '../roles/index.ts'
import { readNumberCursor } from '../trail/index.ts'
import type { liftOneHold, placeHold } from './holds.ts'
import { type HoldRow, listHolds } from './holds-table.ts'
import { listRemoved } from './removals-table.ts'
import { type Retention, removedOnWire, retentionState } from './retention-state.ts'

type Needs = {
  readonly db: Sql
  readonly retention: Retention | undefined
  readonly place: ReturnType<typeof placeHold>
  readonly lift: ReturnType<typeof liftOneHold>
}

/** So many are shown; nobody has as many. */
const holdsMax = 500

export function retentionRoutes({ db, retention, place, lift }: Needs): readonly Route[] {
  return [
    route({
      does: 'Tell how long the trail is kept, what goes next and what stands in the way',
      method: 'GET',
      path: '/trail/retention',
      needs: 'trail:read',
      answers: stateSchema,
      handle: () => retentionState(db, retention),
    }),
    route({
      does: 'List what was archived and removed from the trail after its time, newest entries first',
      method: 'GET',
      path: '/trail/removals',
      needs: 'trail:read',
      query: removedQuery,
      answers: removedPage,
      handle: async ({ query: { limit = 50, cursor } }) => {
        const rows = await listRemoved(db, readNumberCursor(cursor), limit + 1)
        const shown = rows.slice(0, limit)
        const items = shown.map(({ stub }) => removedOnWire(stub))
        return { items, next_cursor: rows.length > limit ? String(shown.at(-1)?.first ?? 0) : null }
      },
    }),
    route({
      does: 'List legal holds, those that stand first',
      method: 'GET',
      path: '/trail/holds',
      needs: 'trail:read',
      answers: holdList,
      handle: async ({ who }) => ({ items: (await listHolds(db, who.tenant, holdsMax)).map(holdOnWire) }),
    }),
    route({
      does: 'Place a legal hold: entries of its time are not removed until it is lifted',
      method: 'POST',
      path: '/trail/holds',
      needs: 'trail:manage',
      body: holdDraft,
      status: 201,
      answers: hold,
      handle: async ({ who, body: { reason, from, until }, facts }) =>
        holdOnWire(await place(who, { reason, from: dateOf(from), until: dateOf(until) }, facts)),
    }),
    route({
      does: 'Lift a legal hold',
      method: 'POST',
      path: '/trail/holds/:id/lift',
      needs: 'trail:manage',
      factor: 'always',
      params: Type.Object({ id: idText }),
      body: holdLift,
      answers: hold,
      handle: async ({ who, params, body, facts }) => holdOnWire(await lift(who, params.id, body.confirm, facts)),
    }),
  ]
}

function holdOnWire(row: HoldRow): Hold {
  return {
    id: row.id,
    reason: row.reason,
    from: row.heldFrom?.toISOString() ?? null,
    until: row.heldUntil?.toISOString() ?? null,
    placed_by: { id: row.placedBy, name: row.placedByName },
    placed_at: row.placedAt.toISOString(),
    lifted_by: row.liftedBy === null ? null : { id: row.liftedBy, name: row.liftedByName },
    lifted_at: row.liftedAt?.toISOString() ?? null,
  }
}

function dateOf(instant: string | null | undefined): Date | null {
  return instant === null || instant === undefined ? null : new Date(instant)
}
