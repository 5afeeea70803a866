import type { Bus } from '../../kernel/bus.ts'
import type { Db, Tx } from '../../kernel/db.ts'
import type { Person, RequestFacts } from '../roles/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import type { endorseSigningKey } from './endorse-signing-key.ts'
import type { makeSigningKey } from './make-signing-key.ts'
import { listSealedKeys, lockSigningKeys, type SealedKey } from './signing-keys-table.ts'

type Needs = {
  readonly db: Db
  readonly bus: Pick<Bus, 'announce'>
  readonly recordAct: RecordAct
  readonly make: ReturnType<typeof makeSigningKey>
  readonly endorse: ReturnType<typeof endorseSigningKey>
  /** Adds the key's signatures to every rollout that is current, and answers how many those are. */
  readonly signCurrentRollouts: (tx: Tx, tenant: string, key: SealedKey) => Promise<number>
}

export type Rotated = { readonly id: string; readonly publicKey: string; readonly signedRollouts: number }

/**
 * New agent keys get the new one from now on. Existing ones notice nothing: they remember theirs, and it goes on
 * signing every rollout until it is retired.
 */
export function rotateSigningKey({ db, bus, recordAct, make, endorse, signCurrentRollouts }: Needs) {
  return (who: Person, facts: RequestFacts): Promise<Rotated> =>
    db.inTx(async (tx) => {
      await lockSigningKeys(tx, who.tenant, 'alone')
      const { id, publicKey } = await make(tx, who.tenant, who.id)
      const signing = await listSealedKeys(tx, who.tenant)
      const key = signing.find((one) => one.id === id)
      if (!key) throw new Error('A signing key that was just made is gone')
      const endorsements = await endorse(tx, who.tenant, key, signing)
      const signedRollouts = await signCurrentRollouts(tx, who.tenant, key)
      await recordAct(tx, {
        ...actorOf(who),
        tenant: who.tenant,
        act: 'signing_key.rotated',
        subject: { kind: 'signing_key', id },
        request: facts,
        details: { public_key: publicKey, signed_rollouts: signedRollouts, endorsed_by: endorsements },
      })
      await bus.announce(tx, { topic: 'signing_key.rotated', tenant: who.tenant, body: { signing_key_id: id } })
      return { id, publicKey, signedRollouts }
    })
}
