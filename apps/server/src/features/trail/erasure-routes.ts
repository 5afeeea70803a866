import { erasureDone, erasureDraft, erasurePreview, erasureQuery } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { type Route, route } from '../roles/index.ts'
import type { eraseSubject } from './erase-subject.ts'
import { previewErasure } from './preview-erasure.ts'
import { actorOf } from './record-refusal.ts'

type Needs = { readonly db: Sql; readonly erase: ReturnType<typeof eraseSubject> }

export function erasureRoutes({ db, erase }: Needs): readonly Route[] {
  return [
    route({
      does: 'Tell what erasing a person would make unreadable, and erase nothing',
      method: 'GET',
      path: '/trail/erasures',
      needs: 'trail:manage',
      query: erasureQuery,
      answers: erasurePreview,
      handle: async ({ who, query }) => {
        const found = await previewErasure(db, who.tenant, query.data_subject)
        return {
          data_subject: query.data_subject,
          keys: found.keys,
          entries: found.entries,
          is_exact: found.isExact,
          first_at: found.firstAt?.toISOString() ?? null,
          last_at: found.lastAt?.toISOString() ?? null,
        }
      },
    }),
    route({
      does: 'Erase what the trail says of a person',
      method: 'POST',
      path: '/trail/erasures',
      needs: 'trail:manage',
      factor: 'always',
      body: erasureDraft,
      answers: erasureDone,
      handle: async ({ who, body, facts }) => {
        const by = { ...actorOf(who), request: facts }
        const { keys } = await erase(who.tenant, body.data_subject, body.confirm, by)
        return { data_subject: body.data_subject, keys }
      },
    }),
  ]
}
