import { type Keyring, makeSigningKeyPair } from '../../kernel/crypto.ts'
import type { Sql } from '../../kernel/db.ts'
import { insertCurrentKey } from './signing-keys-table.ts'

type Needs = {
  readonly clock: { readonly now: () => Date }
  readonly newId: () => string
  readonly sealing: Pick<Keyring, 'seal'>
}

/** What binds a sealed seed to its row, so that it opens nowhere else. */
export function sealedRow(tenant: string, id: string): string {
  return `${tenant}/${id}`
}

/** Makes a key and makes it the current one; the seed is sealed before it leaves this function. */
export function makeSigningKey({ clock, newId, sealing }: Needs) {
  return async (tx: Sql, tenant: string, madeBy: string | null): Promise<{ id: string; publicKey: string }> => {
    const id = newId()
    const pair = makeSigningKeyPair()
    const sealedSeed = sealing.seal('signing-key', sealedRow(tenant, id), pair.seed)
    pair.seed.fill(0)
    const publicKey = pair.publicKey.toString('hex')
    await insertCurrentKey(tx, { tenant, id, publicKey, sealedSeed, madeBy, madeAt: clock.now() })
    return { id, publicKey }
  }
}

/** The key every tenant begins with; part of making a tenant. */
export function makeFirstSigningKey(needs: Needs) {
  const make = makeSigningKey(needs)
  return async (tx: Sql, tenant: string): Promise<void> => {
    await make(tx, tenant, null)
  }
}
