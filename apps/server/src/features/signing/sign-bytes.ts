import { CannotUnseal, type Keyring, signBytes } from '../../kernel/crypto.ts'
import type { Sql } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { sealedRow } from './make-signing-key.ts'
import { listSealedKeys, lockSigningKeys, type SealedKey } from './signing-keys-table.ts'

type Needs = { readonly sealing: Pick<Keyring, 'unseal'> }

export type Signature = { readonly signingKeyId: string; readonly signature: Buffer }

/** Signs the same bytes by each key given. Every call opens the seeds anew; none is kept. */
export type SignWithKeys = (tenant: string, keys: readonly SealedKey[], bytes: Uint8Array) => readonly Signature[]

export function signWithKeys({ sealing }: Needs): SignWithKeys {
  return (tenant, keys, bytes) =>
    keys.map(({ id, publicKey, sealedSeed }) => {
      const seed = open(sealing, tenant, id, publicKey, sealedSeed)
      const signature = signBytes(seed, bytes)
      seed.fill(0)
      return { signingKeyId: id, signature }
    })
}

/** The keys a rollout is signed by, held until the transaction ends. */
export async function keysThatSign(tx: Sql, tenant: string): Promise<readonly SealedKey[]> {
  await lockSigningKeys(tx, tenant, 'shared')
  const keys = await listSealedKeys(tx, tenant)
  if (keys.length === 0) throw new Problem(problems.invalidInput, 'No active signing key for tenant.')
  return keys
}

function open(sealing: Needs['sealing'], tenant: string, id: string, publicKey: string, sealedSeed: string): Buffer {
  try {
    return sealing.unseal('signing-key', sealedRow(tenant, id), sealedSeed)
  } catch (cause) {
    if (!(cause instanceof CannotUnseal)) throw cause
    throw new Problem(
      problems.invalidInput,
      `The signing key ${publicKey.slice(0, 8)} cannot be opened: ${cause.message}. Give the server the COUNTERSIGN_SEAL_KEY it was sealed with (older ones may be listed behind the current), or rotate and retire it.`,
      { cause },
    )
  }
}
