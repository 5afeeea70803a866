import type { Tx } from '../../kernel/db.ts'
import type { RulesetDialect } from '../rulesets/index.ts'
import type { SealedKey, SignWithKeys } from '../signing/index.ts'
import { insertSignatures, listCurrentIds, type NewSignature, readTexts } from './rollouts-table.ts'

const dialects: readonly RulesetDialect[] = ['ruleset', 'contract_bundle']

/** Both renderings by every key: an agent verifies the bytes it was handed, whichever they are. */
export function signBoth(
  sign: SignWithKeys,
  tenant: string,
  keys: readonly SealedKey[],
  texts: Readonly<Record<RulesetDialect, string>>,
): readonly NewSignature[] {
  return dialects.flatMap((rendering) =>
    sign(tenant, keys, Buffer.from(texts[rendering])).map((signature) => ({ ...signature, rendering })),
  )
}

type Needs = {
  readonly clock: { readonly now: () => Date }
  readonly sign: SignWithKeys
  readonly forgetTenant: (tenant: string) => void
}

/** So that agent keys made after a rotation are served a signature of their key for what is live already. */
export function signCurrentRollouts({ clock, sign, forgetTenant }: Needs) {
  return async (tx: Tx, tenant: string, key: SealedKey): Promise<number> => {
    const ids = await listCurrentIds(tx, tenant)
    // One at a time: hundreds of rulesets of half a megabyte need not be in memory together.
    for (const id of ids) {
      const signatures = signBoth(sign, tenant, [key], await readTexts(tx, tenant, id))
      await insertSignatures(tx, tenant, id, signatures, clock.now())
    }
    tx.afterCommit(() => forgetTenant(tenant))
    return ids.length
  }
}
