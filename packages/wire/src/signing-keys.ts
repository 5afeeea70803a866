import { environmentName, idText, instant, nullable, pageOf, principalRef } from './list.ts'
import { type Static, Type } from './type.ts'

/** `current`: new agent keys get this one. `older`: still signs every rollout. `retired`: signs nothing any more. */
export const signingKeyState = Type.Union([Type.Literal('current'), Type.Literal('older'), Type.Literal('retired')])

export const signingKey = Type.Object({
  id: idText,
  public_key: Type.String({
    title: '64 hexadecimal digits',
    pattern: '^[0-9a-f]{64}$',
    description: 'Ed25519, as agents pin it',
  }),
  state: signingKeyState,
  made_at: instant,
  made_by: principalRef,
  retired_at: nullable(instant),
  key_count: Type.Integer({ description: 'Agent keys in use that are served its signatures' }),
})
export type SigningKey = Static<typeof signingKey>
export const signingKeyList = pageOf(signingKey)
export const signingKeyParams = Type.Object({ id: idText })

export const rotatedSigningKey = Type.Object({
  key: signingKey,
  signed_rollouts: Type.Integer({ description: 'Current rollouts that carry its signature too from now on' }),
})

/** Who would no longer be able to verify a rollout if this key were retired. */
export const signingKeyFollowers = Type.Object({
  keys: Type.Array(
    Type.Object({
      id: idText,
      label: Type.String(),
      prefix: Type.String(),
      environment: environmentName,
      last_used_at: nullable(instant),
    }),
  ),
  agents: Type.Array(
    Type.Object({
      agent_id: Type.String(),
      environment: environmentName,
      key_id: idText,
      last_seen_at: nullable(instant),
    }),
  ),
})
export type SigningKeyFollowers = Static<typeof signingKeyFollowers>

/** With followers, `confirm` must be the first 8 characters of the public key; else 409 `confirmation_needed` names them. */
export const retireSigningKeyBody = Type.Object(
  { confirm: Type.Optional(Type.String({ maxLength: 64 })) },
  { additionalProperties: false },
)
