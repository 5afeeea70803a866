import type { Sql } from '../../kernel/db.ts'
import type { Hold } from './removal.ts'

export type HoldRow = Hold & {
  readonly reason: string
  readonly placedBy: string
  readonly placedByName: string | null
  readonly placedAt: Date
  readonly liftedBy: string | null
  readonly liftedByName: string | null
  readonly liftedAt: Date | null
}

/** Every hold that stands, whoever's: a span holds entries of all tenants. */
export function findHolds(db: Sql): Promise<Hold[]> {
  return db.query<Hold>(
    `select h.id, h.held_from as "heldFrom", h.held_until as "heldUntil" from trail_holds as h where h.lifted_at is null`,
  )
}

const columns = `h.id, h.reason, h.held_from as "heldFrom", h.held_until as "heldUntil", h.placed_by as "placedBy",
  p.name as "placedByName", h.placed_at as "placedAt", h.lifted_by as "liftedBy", l.name as "liftedByName",
  h.lifted_at as "liftedAt"`
const joined = `trail_holds as h
  left join people as p on p.tenant_id = h.tenant_id and p.id = h.placed_by
  left join people as l on l.tenant_id = h.tenant_id and l.id = h.lifted_by`

/** Those that stand first, then the newest. */
export function listHolds(db: Sql, tenant: string, limit: number): Promise<HoldRow[]> {
  return db.query<HoldRow>(
    `select ${columns} from ${joined} where h.tenant_id = $1
      order by (h.lifted_at is null) desc, h.placed_at desc, h.id desc limit $2`,
    [tenant, limit],
  )
}

export async function findHold(db: Sql, tenant: string, id: string): Promise<HoldRow | undefined> {
  const [row] = await db.query<HoldRow>(`select ${columns} from ${joined} where h.tenant_id = $1 and h.id = $2`, [
    tenant,
    id,
  ])
  return row
}

export async function insertHold(
  tx: Sql,
  tenant: string,
  hold: Pick<HoldRow, 'id' | 'reason' | 'heldFrom' | 'heldUntil' | 'placedBy' | 'placedAt'>,
): Promise<void> {
  await tx.query(
    `insert into trail_holds (tenant_id, id, reason, held_from, held_until, placed_by, placed_at)
      values ($1, $2, $3, $4, $5, $6, $7)`,
    [tenant, hold.id, hold.reason, hold.heldFrom, hold.heldUntil, hold.placedBy, hold.placedAt],
  )
}

/** Answers whether it stood. */
export async function liftHold(tx: Sql, tenant: string, id: string, by: string, at: Date): Promise<boolean> {
  const lifted = await tx.query<{ id: string }>(
    `update trail_holds as h set lifted_by = $3, lifted_at = $4
      where h.tenant_id = $1 and h.id = $2 and h.lifted_at is null returning h.id`,
    [tenant, id, by, at],
  )
  return lifted.length > 0
}
