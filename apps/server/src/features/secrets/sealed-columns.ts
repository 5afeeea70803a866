import { personKeyName } from '@countersign/trail'
import { type Purpose, publicKeyOf } from '../../kernel/crypto.ts'
import { sealedFactorRow } from '../mfa/index.ts'
import { sealedSigningKeyRow } from '../signing/index.ts'

/** A column whose values are sealed under the seal key. */
export type SealedColumn = {
  readonly table: string
  readonly column: string
  /** What people call it. */
  readonly words: string
  readonly purpose: Purpose
  /** The primary key, in its order. */
  readonly key: readonly KeyColumn[]
  /** What a value is bound to, from the primary key. */
  readonly rowOf: (key: readonly string[]) => string
  /** An expression over the row, as `t`, and whether what was opened is what it tells of; a wrong one is not sealed anew. */
  readonly proof?: { readonly of: string; readonly fits: (opened: Uint8Array, told: string) => boolean }
}

type KeyColumn = { readonly name: string; readonly type: 'uuid' | 'text' }

const tenantAndId: readonly KeyColumn[] = [
  { name: 'tenant_id', type: 'uuid' },
  { name: 'id', type: 'uuid' },
]
const name: readonly KeyColumn[] = [{ name: 'name', type: 'text' }]
const isSeedOf = (seed: Uint8Array, publicKey: string): boolean =>
  seed.length === 32 && publicKeyOf(seed).toString('hex') === publicKey

/** Everything there is; a test holds it against the columns of the database. */
export const sealedColumns: readonly SealedColumn[] = [
  {
    table: 'signing_keys',
    column: 'sealed_seed',
    words: 'signing keys of rulesets',
    purpose: 'signing-key',
    key: tenantAndId,
    rowOf: ([tenant = '', id = '']) => sealedSigningKeyRow(tenant, id),
    proof: { of: 't.public_key', fits: isSeedOf },
  },
  {
    table: 'trail_log_keys',
    column: 'sealed_seed',
    words: "the trail's log key",
    purpose: 'trail-log-key',
    key: name,
    rowOf: ([logName = '']) => logName,
    proof: { of: `encode(t.public_key, 'hex')`, fits: isSeedOf },
  },
  {
    table: 'trail_subject_keys',
    column: 'sealed_key',
    words: 'keys of personal facts in the trail',
    purpose: 'trail-subject-key',
    key: name,
    rowOf: ([keyName = '']) => keyName,
    proof: { of: 't.name', fits: (key, told) => key.length === 32 && personKeyName(key) === told },
  },
  {
    table: 'factors',
    column: 'sealed_secret',
    words: 'secrets of authenticator apps',
    purpose: 'factor-secret',
    key: tenantAndId,
    rowOf: ([tenant = '', id = '']) => sealedFactorRow(tenant, id),
  },
  {
    table: 'sign_in_attempts',
    column: 'sealed',
    words: 'sign-ins that are under way',
    purpose: 'sign-in-state',
    key: [{ name: 'id', type: 'uuid' }],
    rowOf: ([id = '']) => id,
  },
]
