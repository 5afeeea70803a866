import { nullable, pageOf, pageQuery } from './list.ts'
import { type Static, Type } from './type.ts'

const instant = Type.String({ format: 'date-time' })
const count = Type.Integer({ minimum: 0 })

/** A legal hold: entries of its time are not removed, whatever their age, until somebody lifts it. */
export const hold = Type.Object({
  id: Type.String(),
  reason: Type.String(),
  from: nullable(instant),
  until: nullable(instant),
  placed_by: Type.Object({ id: Type.String(), name: nullable(Type.String()) }),
  placed_at: instant,
  lifted_by: nullable(Type.Object({ id: Type.String(), name: nullable(Type.String()) })),
  lifted_at: nullable(instant),
})
export const holdList = Type.Object({ items: Type.Array(hold) })
export const holdDraft = Type.Object(
  {
    reason: Type.String({
      minLength: 1,
      maxLength: 500,
      description: 'The case, or who asked for it; never personal facts',
    }),
    from: Type.Optional(nullable(instant)),
    until: Type.Optional(nullable(instant)),
  },
  { additionalProperties: false },
)
export const holdLift = Type.Object(
  { confirm: Type.String({ maxLength: 100, description: 'The id of the hold once more' }) },
  { additionalProperties: false },
)

const span = {
  first: count,
  last: count,
  count,
  oldest_at: instant,
  newest_at: instant,
}

/** What the log says of entries that were removed after their time, signed by its key. */
export const removedSpan = Type.Object({
  ...span,
  retention_days: count,
  removed_at: instant,
  removed_by: Type.Object({ kind: Type.String(), id: Type.String() }),
  bucket: Type.String(),
  archive_key: Type.String({ description: 'Where the archive lies in the bucket' }),
  archive_sha256: Type.String({ description: 'Of the archive as it lies there, hexadecimal' }),
  archive_bytes: count,
  archive_locked_until: instant,
  size: Type.Integer({
    minimum: 0,
    description: 'Over how many entries the anchored checkpoint is that covers the span',
  }),
  root: Type.String(),
  anchor_key: Type.String(),
})
export const removedPage = pageOf(removedSpan)
export const removedQuery = Type.Object(pageQuery, { additionalProperties: false })

const nextSpan = Type.Union([
  Type.Object({
    is: Type.Union([Type.Literal('due'), Type.Literal('held'), Type.Literal('young')]),
    ...span,
    due_at: instant,
  }),
  Type.Object({ is: Type.Union([Type.Literal('unanchored'), Type.Literal('few')]) }),
])

/** The policy, what it removed, what goes next and when, and what stands in the way. */
export const retentionState = Type.Object({
  is_on: Type.Boolean(),
  days: nullable(
    Type.Integer({ minimum: 1, description: 'Entries are kept at least so long; null keeps them for ever' }),
  ),
  archive_days: nullable(Type.Integer({ minimum: 1, description: 'For how long each archive is locked' })),
  removed: Type.Integer({ minimum: 0, description: 'How many entries were archived and removed so far' }),
  holds: Type.Integer({ minimum: 0, description: 'Legal holds that stand, of the whole installation' }),
  next: nullable(nextSpan),
  failures: Type.Integer({ minimum: 0, description: 'Attempts at the span under way that failed' }),
  error: nullable(Type.String()),
})

export type Hold = Static<typeof hold>
export type HoldList = Static<typeof holdList>
export type HoldDraft = Static<typeof holdDraft>
export type RemovedSpan = Static<typeof removedSpan>
export type RetentionState = Static<typeof retentionState>
