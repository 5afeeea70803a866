import { instant, nullable, pageOf, pageQuery } from './list.ts'
import { type Static, Type } from './type.ts'

const count = Type.Integer({ minimum: 0 })

/** One anchor: a signed checkpoint in a store that lets nobody delete it. */
export const anchor = Type.Object({
  sequence: Type.Integer({ minimum: 0, description: 'Gapless within the chain, from 0' }),
  key: Type.String({ description: 'Where it lies in the bucket' }),
  sha256: Type.String({ description: 'Of the object, hexadecimal; the next anchor names it' }),
  first_number: Type.Integer({ minimum: 0, description: 'The first entry that is new since the anchor before' }),
  size: count,
  root: Type.String({ description: 'RFC 6962 tree hash over the first `size` entries, hexadecimal' }),
  made_at: instant,
  written_at: nullable(instant),
  locked_until: nullable(instant),
  attempts: count,
  next_attempt_at: nullable(instant),
  error: nullable(Type.String({ description: 'What went wrong at the last attempt, and what to do about it' })),
})

export const anchorPage = pageOf(anchor)
export const anchorQuery = Type.Object(pageQuery, { additionalProperties: false })

/** What to keep elsewhere, to hold the log against later. */
const newestCheckpoint = Type.Object({
  size: count,
  root: Type.String({ description: 'RFC 6962 tree hash over that many entries, hexadecimal' }),
  at: instant,
  note: Type.String({ description: 'C2SP signed note, as /trail/checkpoint serves it' }),
  key: Type.String({ description: 'The key that signed it, as /trail/key serves it' }),
})

const anchoring = Type.Union([
  Type.Object({ is_on: Type.Literal(false) }),
  Type.Object({
    is_on: Type.Literal(true),
    bucket: Type.String(),
    chain_id: Type.String(),
    interval_minutes: count,
    retention_days: count,
    is_healthy: Type.Boolean(),
    unanchored: Type.Integer({ minimum: 0, description: 'Entries that are in no anchor yet' }),
    waiting_seconds: count,
    failures: Type.Integer({ minimum: 0, description: 'Attempts at the waiting anchor that failed' }),
    error: nullable(Type.String()),
  }),
])

export const anchorState = Type.Object({ checkpoint: nullable(newestCheckpoint), anchoring })

export const anchorWritten = Type.Object({
  is: Type.Union([Type.Literal('written'), Type.Literal('nothing_new')]),
  anchor: nullable(anchor),
})

export type AnchorShown = Static<typeof anchor>
export type AnchorState = Static<typeof anchorState>
export type AnchorWritten = Static<typeof anchorWritten>
