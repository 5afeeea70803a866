import type { Bus } from '../../kernel/bus.ts'
import type { Keyring } from '../../kernel/crypto.ts'
import type { Db } from '../../kernel/db.ts'
import type { ProveSession } from '../sessions/index.ts'
import type { RecordAct } from '../trail/index.ts'
import type { Attempt } from './attempts.ts'
import type { RelyingParty } from './passkeys.ts'
import type { CheckYubicoOtp } from './yubico.ts'

/** What the use cases of factors share. */
export type FactorNeeds = {
  readonly kernel: {
    readonly db: Db
    readonly clock: { readonly now: () => Date }
    readonly newId: () => string
    readonly bus: Pick<Bus, 'announce'>
  }
  readonly keyrings: {
    /** Digests of what callers present. */
    readonly keyring: Pick<Keyring, 'digest' | 'digests'>
    /** Seals what must be opened again. */
    readonly sealing: Pick<Keyring, 'seal' | 'unseal'>
  }
  readonly recordAct: RecordAct
  readonly attempt: Attempt
  readonly proveSession: ProveSession
  readonly rp: RelyingParty
  readonly yubico: CheckYubicoOtp | undefined
}
