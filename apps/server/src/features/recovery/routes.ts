import { idText, Type } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { notFound } from '../../kernel/problem.ts'
import { type Route, route } from '../roles/index.ts'
import { takeNote } from './recovery-notices-table.ts'

export function recoveryRoutes({ db }: { readonly db: Sql }): readonly Route[] {
  return [
    route({
      does: 'Take note that a link of the server’s machine let an administrator back in',
      method: 'DELETE',
      path: '/recovery-notices/:id',
      needs: 'signed-in',
      params: Type.Object({ id: idText }),
      answers: Type.Object({ id: Type.String() }),
      handle: async ({ who, params: { id } }) => {
        if (!(await takeNote(db, who.tenant, who.id, id))) throw notFound('notice')
        return { id }
      },
    }),
  ]
}
