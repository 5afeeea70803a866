import {
  trailContinuation,
  trailContinuationQuery,
  trailEntryWithBytes,
  trailHead,
  trailPage,
  trailProof,
  trailQuery,
} from '@countersign/wire'
import { Type } from 'typebox'
import type { Sql } from '../../kernel/db.ts'
import { type Route, route } from '../roles/index.ts'
import type { EntryMacs } from './entry-macs.ts'
import { proveContinuation, proveEntry } from './prove.ts'
import { listTrail, readTrailEntry, readTrailHead } from './read-trail.ts'
import type { KeySealing } from './subject-keys.ts'

type Needs = { readonly db: Sql; readonly keyring: KeySealing; readonly macs: EntryMacs }

export function trailRoutes({ db, keyring, macs }: Needs): readonly Route[] {
  const list = listTrail({ db, keyring })
  const read = readTrailEntry({ db, keyring, macs })
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
        const { limit = 50, cursor, subject_kind: subjectKind, since, until, ...filter } = query
        const dates = { since: dateOf(since), until: dateOf(until) }
        return list(who.tenant, { ...filter, ...dates, subjectKind }, limit, cursor)
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

function dateOf(instant: string | undefined): Date | undefined {
  return instant === undefined ? undefined : new Date(instant)
}
