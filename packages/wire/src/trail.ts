import { instant, nullable, pageOf, pageQuery } from './list.ts'
import { type Static, Type } from './type.ts'

const facts = Type.Record(Type.String(), Type.Unknown())

/** An entry as a reader sees it: what was recorded, with personal facts opened where their key still exists. */
export const trailEntry = Type.Object({
  number: Type.Integer({ minimum: 0, description: 'Gapless, from 0; the leaf of the entry in the tree' }),
  id: Type.String(),
  at: instant,
  act: Type.String(),
  outcome: Type.String(),
  actor: Type.Object({
    kind: Type.String(),
    id: Type.String(),
    credential: Type.Optional(Type.String()),
    key_id: Type.Optional(Type.String()),
  }),
  subject: Type.Object({ kind: Type.String(), id: Type.String() }),
  request_id: nullable(Type.String()),
  details: facts,
  personal: Type.Object({
    actor: Type.Optional(facts),
    subject: Type.Optional(facts),
    request: Type.Optional(facts),
  }),
  is_erased: Type.Boolean({ description: 'True when personal facts were recorded and their key was destroyed since' }),
  repeats: Type.Optional(
    Type.Object(
      {
        count: Type.Integer({ minimum: 2, description: 'With this one' }),
        first_number: Type.Integer({ minimum: 0 }),
        first_at: instant,
      },
      { description: 'With fold: entries before this one that say the same' },
    ),
  ),
})

export const trailEntryWithBytes = Type.Object({
  ...trailEntry.properties,
  canonical: Type.String({ description: 'The RFC 8785 text whose UTF-8 bytes were hashed' }),
  leaf_hash: Type.String({ description: 'SHA-256(0x00, bytes), hexadecimal' }),
  mac: nullable(
    Type.Object({
      key: Type.String({ description: 'Names the secret it was made with' }),
      value: Type.String({ description: 'HMAC-SHA-256(secret, bytes), hexadecimal' }),
      found: Type.Union([Type.Literal('good'), Type.Literal('wrong'), Type.Literal('unknown_key')]),
    }),
  ),
})

export const trailPage = Type.Object({
  ...pageOf(trailEntry).properties,
  looked: nullable(
    Type.Object(
      { count: Type.Integer({ minimum: 1 }), oldest_at: instant },
      {
        description:
          'When a search for a text or an address ended this page because it had opened as many entries as one page may: how many, and back to when. next_cursor looks on.',
      },
    ),
  ),
})

export const trailHead = Type.Object({
  size: Type.Integer({ minimum: 0 }),
  root: Type.String({ description: 'RFC 6962 tree hash over all entries, hexadecimal' }),
  at: nullable(instant),
})

const head = {
  size: Type.Integer({ minimum: 0 }),
  root: Type.String({ description: 'RFC 6962 tree hash, hexadecimal' }),
}

/** That an entry is in the log of a signed checkpoint; `proof` is the same as one text, to be kept in a file. */
export const trailProof = Type.Object({
  number: Type.Integer({ minimum: 0 }),
  leaf_hash: Type.String({ description: 'SHA-256(0x00, bytes), hexadecimal' }),
  ...head,
  hashes: Type.Array(Type.String(), { description: 'RFC 6962 inclusion proof, base64, from the leaf upwards' }),
  checkpoint: Type.String({ description: 'C2SP tlog-checkpoint, the newest' }),
  proof: Type.String({ description: 'C2SP tlog-proof with the entry as its extra data' }),
})

export const trailContinuation = Type.Object({
  from: Type.Object({ ...head, checkpoint: nullable(Type.String()) }),
  to: Type.Object({ ...head, checkpoint: Type.String() }),
  hashes: Type.Array(Type.String(), { description: 'RFC 6962 consistency proof, base64' }),
  proof: nullable(
    Type.String({
      description: 'The same with both checkpoints, to be kept in a file; null when none was signed there',
    }),
  ),
})

const entryCount = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })

export const trailContinuationQuery = Type.Object(
  { from: entryCount, to: Type.Optional(entryCount) },
  { additionalProperties: false },
)

const filters = {
  actor: Type.Optional(Type.String({ maxLength: 400, description: 'Id of who acted' })),
  act: Type.Optional(Type.String({ maxLength: 100, description: 'The act, or its noun with a star: key.*' })),
  subject: Type.Optional(Type.String({ maxLength: 2000, description: 'Id of what was acted upon' })),
  subject_kind: Type.Optional(Type.String({ maxLength: 100 })),
  outcome: Type.Optional(Type.String({ maxLength: 40 })),
  request: Type.Optional(Type.String({ maxLength: 200, description: 'Id of the request' })),
  since: Type.Optional(instant),
  until: Type.Optional(instant),
  text: Type.Optional(
    Type.String({
      minLength: 2,
      maxLength: 200,
      description: 'Anywhere in the entry, in what is sealed too as far as it was not erased; whatever the case',
    }),
  ),
}

/** Addresses are sealed: a search for one opens what the other filters leave. */
const address = Type.Optional(
  Type.String({ minLength: 2, maxLength: 100, description: 'Of the request, or its beginning with a star: 10.1.*' }),
)

export const trailQuery = Type.Object(
  {
    ...pageQuery,
    ...filters,
    address,
    fold: Type.Optional(Type.Boolean({ description: 'Tell neighbors that say the same once, with how many they are' })),
  },
  { additionalProperties: false },
)

export const trailFacetQuery = Type.Object(filters, { additionalProperties: false })

const trailFacet = Type.Object({
  values: Type.Array(Type.Object({ value: Type.String(), count: Type.Integer({ minimum: 1 }) })),
  more: Type.Integer({ minimum: 0, description: 'How many rarer values are not listed' }),
})

/** Each facet is counted under the filters of the others, so that its own values stay in sight. */
export const trailFacets = Type.Object({
  is_exact: Type.Boolean({
    description:
      'False when there may be more: the newest 50,000 matches are counted, and words are looked for in what is not sealed',
  }),
  facets: Type.Object({ act: trailFacet, actor: trailFacet, outcome: trailFacet, subject_kind: trailFacet }),
})

export const trailExportQuery = Type.Object(
  {
    ...filters,
    address,
    format: Type.Union([Type.Literal('csv'), Type.Literal('jsonl'), Type.Literal('evidence')], {
      description: 'evidence: the whole log as verifiers read it, others’ entries by their leaf; takes no filter',
    }),
  },
  { additionalProperties: false },
)

export type TrailEntryShown = Static<typeof trailEntry>
export type TrailFacets = Static<typeof trailFacets>
export type TrailProof = Static<typeof trailProof>
export type TrailContinuation = Static<typeof trailContinuation>
export type TrailQuery = Static<typeof trailQuery>
