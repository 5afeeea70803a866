import { environmentName, idText, instant, nullable } from './list.ts'
import { permissionName } from './roles.ts'
import { nameText } from './text.ts'
import { Type } from './type.ts'

const tokenName = nameText({ max: 150 })

export const tokenStatus = Type.Union([
  Type.Literal('live'),
  Type.Literal('expired'),
  Type.Literal('revoked'),
  Type.Literal('stopped', { description: 'Its owner is suspended or locked' }),
])

export const apiToken = Type.Object({
  id: idText,
  name: Type.String(),
  prefix: Type.String({ description: 'The beginning of the token, to recognize it by' }),
  status: tokenStatus,
  permissions: Type.Array(Type.String()),
  environments: nullable(Type.Array(Type.String(), { description: 'Where it may act; null for everywhere' })),
  owner: Type.Object({ id: idText, label: Type.String() }),
  made_at: instant,
  made_by: Type.Object({ id: idText, label: Type.String() }),
  expires_at: nullable(instant),
  last_used_at: nullable(instant),
  rotated_at: nullable(instant),
  previous_until: nullable(instant),
  revoked_at: nullable(instant),
})

export const apiTokenQuery = Type.Object({
  revoked: Type.Optional(Type.Boolean({ description: 'With true, also tokens that were revoked' })),
})

export const apiTokenParams = Type.Object({ id: idText })

export const apiTokenDraft = Type.Object(
  {
    name: tokenName,
    role: Type.Optional(
      Type.String({
        maxLength: 63,
        description: 'Its permissions are copied; later changes of the role do not reach the token',
      }),
    ),
    permissions: Type.Optional(Type.Array(permissionName, { uniqueItems: true, minItems: 1 })),
    environments: Type.Optional(Type.Array(environmentName, { uniqueItems: true, minItems: 1, maxItems: 50 })),
    expires_at: Type.Optional(
      Type.String({ format: 'date-time', description: 'The longest that is allowed unless told' }),
    ),
  },
  { additionalProperties: false },
)

export const apiTokenChange = Type.Object(
  {
    name: Type.Optional(tokenName),
    permissions: Type.Optional(Type.Array(permissionName, { uniqueItems: true, minItems: 1 })),
    expires_at: Type.Optional(Type.String({ format: 'date-time' })),
  },
  { additionalProperties: false, minProperties: 1 },
)

export const apiTokenRotation = Type.Object(
  {
    overlap_hours: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 168, description: 'How long the old value still works; 24 unless told' }),
    ),
    expires_at: Type.Optional(Type.String({ format: 'date-time' })),
  },
  { additionalProperties: false },
)

/** `token` is the whole token; it is never shown again. */
export const madeApiToken = Type.Object({ ...apiToken.properties, token: Type.String() })

/** What a form for a new token offers: only what whoever asks may give. */
export const apiTokenChoices = Type.Object({
  permissions: Type.Array(Type.Object({ name: Type.String(), does: Type.String() })),
  roles: Type.Array(Type.Object({ name: Type.String(), title: Type.String(), permissions: Type.Array(Type.String()) })),
  environments: nullable(Type.Array(Type.String())),
  days_max: nullable(Type.Integer({ description: 'The longest life a token may be given' })),
})
