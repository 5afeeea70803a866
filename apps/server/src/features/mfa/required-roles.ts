import type { Bus } from '../../kernel/bus.ts'
import type { Db } from '../../kernel/db.ts'
import type { Person, RequestFacts } from '../roles/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'

type Needs = { readonly db: Db; readonly bus: Pick<Bus, 'announce'>; readonly recordAct: RecordAct }

/** Roles whose holders must have a second factor, also where not everybody must. */
export function requiredRoles({ db, bus, recordAct }: Needs) {
  const read = async (sql: Pick<Db, 'query'>, tenant: string): Promise<string[]> => {
    const rows = await sql.query<{ role: string }>(
      `select r.role from factor_required_roles as r where r.tenant_id = $1 order by r.role`,
      [tenant],
    )
    return rows.map(({ role }) => role)
  }
  return {
    read: (tenant: string) => read(db, tenant),
    write: (who: Person, roles: readonly string[], facts: RequestFacts): Promise<string[]> =>
      db.inTx(async (tx) => {
        const before = await read(tx, who.tenant)
        await tx.query(`delete from factor_required_roles as r where r.tenant_id = $1`, [who.tenant])
        await tx.query(`insert into factor_required_roles (tenant_id, role) select $1, unnest($2::text[])`, [
          who.tenant,
          roles,
        ])
        const after = await read(tx, who.tenant)
        await recordAct(tx, {
          ...actorOf(who),
          tenant: who.tenant,
          act: 'setting.changed',
          subject: { kind: 'setting', id: 'mfa.required_roles' },
          request: facts,
          details: { before, after },
        })
        await bus.announce(tx, { topic: 'settings.changed', tenant: who.tenant, body: { name: 'mfa.required_roles' } })
        return after
      }),
  }
}
