import type { FactorKind } from '@countersign/wire'

/** A second factor of a person. It counts once it was confirmed. */
export type Factor = {
  readonly tenant: string
  readonly id: string
  /** What older clients call it by. */
  readonly wireNo: number
  readonly person: string
  readonly kind: FactorKind
  readonly label: string
  readonly madeAt: Date
  readonly confirmedAt: Date | null
  readonly lastUsedAt: Date | null
  readonly sealedSecret: string | null
  readonly credentialId: string | null
  readonly publicKey: string | null
  readonly algorithm: number | null
  readonly counter: number | null
  readonly transports: readonly string[] | null
  readonly isBackedUp: boolean | null
  readonly cliCapable: boolean
  readonly registration: Readonly<Record<string, unknown>> | null
}

/** Why a proof was not accepted; goes into the trail, while the caller hears less. */
export type Refusal =
  | 'invalid_code'
  | 'wrong_password'
  | 'replay_detected'
  | 'invalid_challenge'
  | 'invalid_credential'
  | 'counter_regressed'

export type Checked =
  | { readonly isRight: true; readonly factor: string; readonly kind: string }
  | { readonly isRight: false; readonly why: Refusal }

export const wrong = (why: Refusal): Checked => ({ isRight: false, why })
