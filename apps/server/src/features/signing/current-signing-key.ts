import type { Bus } from '../../kernel/bus.ts'
import type { Sql } from '../../kernel/db.ts'
import { findCurrentKeyId } from './signing-keys-table.ts'

type Needs = { readonly db: Sql; readonly bus: Pick<Bus, 'on' | 'isProven'> }

/** The signing key new agent keys get, from memory while the bus is proven to tell of rotations. */
export function currentSigningKey({ db, bus }: Needs): (tenant: string) => Promise<string | undefined> {
  const known = new Map<string, string>()
  let rotations = 0
  bus.on('signing_key.rotated', ({ tenant }) => {
    rotations += 1
    if (tenant !== null) known.delete(tenant)
  })
  return async (tenant) => {
    const kept = bus.isProven() ? known.get(tenant) : undefined
    if (kept !== undefined) return kept
    const before = rotations
    const id = await findCurrentKeyId(db, tenant)
    // A rotation that was heard meanwhile may have come after the row was read.
    if (id !== undefined && before === rotations) known.set(tenant, id)
    return id
  }
}
