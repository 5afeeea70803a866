import type { Tx } from '../../kernel/db.ts'
import type { SignWithKeys } from './sign-bytes.ts'
import { insertEndorsements, type SealedKey } from './signing-keys-table.ts'

type Needs = { readonly clock: { readonly now: () => Date }; readonly sign: SignWithKeys }

/** What a key signs to vouch for another. No ruleset begins like this, so neither can be taken for the other. */
export function endorsementText(tenant: string, publicKey: string): string {
  return `countersign signing key endorsement v1\n${tenant}\n${publicKey}\n`
}

/** Has every other key that signs vouch for a new one, so that agents that trust one of them follow. */
export function endorseSigningKey({ clock, sign }: Needs) {
  return async (tx: Tx, tenant: string, key: SealedKey, signing: readonly SealedKey[]): Promise<number> => {
    const others = signing.filter(({ id }) => id !== key.id)
    const endorsements = sign(tenant, others, Buffer.from(endorsementText(tenant, key.publicKey)))
    await insertEndorsements(tx, tenant, key.id, endorsements, clock.now())
    return endorsements.length
  }
}
