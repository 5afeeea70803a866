import { Readable } from 'node:stream'
import {
  type Static,
  Type,
  trailContinuation,
  trailContinuationQuery,
  trailEntryWithBytes,
  trailExportQuery,
  trailFacetQuery,
  trailFacets,
  trailHead,
  trailPage,
  trailProof,
  trailQuery,
} from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { invalidInput } from '../../kernel/problem.ts'
import { type Route, route } from '../roles/index.ts'
import type { EntryMacs } from './entry-macs.ts'
import { evidenceLines, readableLines } from './export-entries.ts'
import { proveContinuation, proveEntry } from './prove.ts'
import { listTrail, readTrailEntry, readTrailHead } from './read-trail.ts'
import type { RecordAct } from './record-act.ts'
import { actorOf } from './record-refusal.ts'
import type { EntrySearch } from './scan-entries.ts'
import type { KeySealing } from './subject-keys.ts'
import { trailFacets as countFacets } from './trail-facets.ts'

type Needs = { readonly db: Sql; readonly keyring: KeySealing; readonly macs: EntryMacs; readonly recordAct: RecordAct }

export function trailRoutes({ db, keyring, macs, recordAct }: Needs): readonly Route[] {
  const list = listTrail({ db, keyring })
  const read = readTrailEntry({ db, keyring, macs })
  const facets = countFacets({ db })
  const prove = proveEntry({ db })
  const continuation = proveContinuation({ db })
  const number = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
  return [
    route({
      does: 'Read the trail, newest first',
      method: 'GET',
      path: '/trail',
      needs: 'trail:read',
      query: trailQuery,
      answers: trailPage,
      handle: ({ who, query }) => {
        const { limit = 50, cursor, fold, ...filter } = query
        return list(who.tenant, searchOf(filter), limit, cursor, fold)
      },
    }),
    route({
      does: 'Count entries by act, actor, outcome and kind of subject',
      method: 'GET',
      path: '/trail/facets',
      needs: 'trail:read',
      query: trailFacetQuery,
      answers: trailFacets,
      handle: ({ who, query }) => facets(who.tenant, searchOf(query)),
    }),
    route({
      does: 'Download the trail as CSV, JSON Lines, or evidence that verifiers read',
      method: 'GET',
      path: '/trail/export',
      needs: 'trail:export',
      query: trailExportQuery,
      answersItself: true,
      handle: async ({ who, query, facts, reply }) => {
        const { format, ...filter } = query
        if (format === 'evidence' && Object.keys(filter).length > 0) {
          throw invalidInput(
            'query.format',
            'Evidence is the whole log; leave the filters out, or ask for csv or jsonl.',
          )
        }
        await recordAct(db, {
          tenant: who.tenant,
          act: 'trail.exported',
          subject: { kind: 'trail', id: format },
          request: facts,
          // Addresses are personal, so an entry does not tell them in clear.
          details: { format, filter: { ...filter, ...(filter.address !== undefined && { address: '[sealed]' }) } },
          ...actorOf(who),
        })
        const lines =
          format === 'evidence'
            ? evidenceLines({ db }, who.tenant)
            : readableLines({ db, keyring }, who.tenant, searchOf(filter), format)
        return reply
          .type(format === 'csv' ? 'text/csv; charset=utf-8; header=present' : 'application/x-ndjson')
          .header('cache-control', 'private, no-store')
          .header(
            'content-disposition',
            `attachment; filename="trail.${format === 'evidence' ? 'evidence.jsonl' : format}"`,
          )
          .send(Readable.from(lines, { objectMode: false }))
      },
    }),
    route({
      does: 'Tell the head of the log',
      method: 'GET',
      path: '/trail/head',
      needs: 'trail:read',
      answers: trailHead,
      handle: () => readTrailHead(db),
    }),
    route({
      does: 'Read one entry with the bytes that were hashed',
      method: 'GET',
      path: '/trail/:number',
      needs: 'trail:read',
      params: Type.Object({ number }),
      answers: trailEntryWithBytes,
      handle: ({ who, params }) => read(who.tenant, params.number),
    }),
    route({
      does: 'Prove that the log continues an earlier state of itself',
      method: 'GET',
      path: '/trail/continuation',
      needs: 'trail:read',
      query: trailContinuationQuery,
      answers: trailContinuation,
      handle: ({ query }) => continuation(query.from, query.to),
    }),
    route({
      does: 'Prove that an entry is in the log of the newest signed checkpoint',
      method: 'GET',
      path: '/trail/:number/proof',
      needs: 'trail:read',
      params: Type.Object({ number }),
      answers: trailProof,
      handle: ({ who, params }) => prove(who.tenant, params.number),
    }),
  ]
}

/** Filters as the wire writes them. */
type Filters = Omit<Static<typeof trailExportQuery>, 'format'>

function searchOf({ subject_kind: subjectKind, since, until, ...filter }: Filters): EntrySearch {
  return { ...filter, subjectKind, since: dateOf(since), until: dateOf(until) }
}

function dateOf(instant: string | undefined): Date | undefined {
  return instant === undefined ? undefined : new Date(instant)
}
