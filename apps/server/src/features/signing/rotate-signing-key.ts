import type { Bus } from '../../kernel/bus.ts'
import type { Db, Tx } from '../../kernel/db.ts'
import type { Person, RequestFacts } from '../roles/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import type { makeSigningKey } from './make-signing-key.ts'
import { listSealedKeys, lockSigningKeys, type SealedKey } from './signing-keys-table.ts'

type Needs = {
  readonly db: Db
  readonly bus: Pick<Bus, 'announce'>
  readonly recordAct: RecordAct
  readonly make: ReturnType<typeof makeSigningKey>
  /** Adds the key's signatures to every rollout that is current, and answers how many those are. */
  readonly signCurrentRollouts: (tx: Tx, tenant: string, key: SealedKey) => Promise<number>
}

export type Rotated = { readonly id: string; readonly publicKey: string; readonly signedRollouts: number }

/**
 * New agent keys get the new one from now on. Existing ones notice nothing: they remember theirs, and it goes on
 * signing every rollout until it is retired.
 */
export function rotateSigningKey({ db, bus, recordAct, make, signCurrentRollouts }: Needs) {
  return (who: Person, facts: RequestFacts): Promise<Rotated> =>
    db.inTx(async (tx) => {
      await lockSigningKeys(tx, who.tenant, 'alone')
      const { id, publicKey } = await make(tx, who.tenant, who.id)
      const key = (await listSealedKeys(tx, who.tenant)).find((one) => one.id === id)
      const signedRollouts = key ? await signCurrentRollouts(tx, who.tenant, key) : 0
      await recordAct(tx, {
        ...actorOf(who),
        tenant: who.tenant,
        act: 'signing_key.rotated',
        subject: { kind: 'signing_key', id },
        request: facts,
        details: { public_key: publicKey, signed_rollouts: signedRollouts },
      })
      await bus.announce(tx, { topic: 'signing_key.rotated', tenant: who.tenant, body: { signing_key_id: id } })
      return { id, publicKey, signedRollouts }
    })
}
