import type { Sql } from '../../kernel/db.ts'

type Needs = { readonly db: Sql; readonly takesPassword: (tenant: string) => Promise<boolean> }

/** Whether anybody here may still use a password. Asked before anybody is known, so it says nothing of one tenant. */
export function passwordsTaken({ db, takesPassword }: Needs): () => Promise<boolean> {
  return async () => {
    const tenants = await db.query<{ id: string }>(`select t.id from tenants as t limit 100`)
    const answers = await Promise.all(tenants.map(({ id }) => takesPassword(id)))
    return answers.length === 0 || answers.some(Boolean)
  }
}
