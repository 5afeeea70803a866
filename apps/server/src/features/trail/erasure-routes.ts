import { erasureDone, erasureDraft } from '@countersign/wire'
import { type Route, route } from '../roles/index.ts'
import type { eraseSubject } from './erase-subject.ts'
import { actorOf } from './record-refusal.ts'

export function erasureRoutes({ erase }: { readonly erase: ReturnType<typeof eraseSubject> }): readonly Route[] {
  return [
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
