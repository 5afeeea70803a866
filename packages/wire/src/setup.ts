import { Type } from 'typebox'
import { idText } from './list.ts'

export const emailText = Type.String({
  minLength: 3,
  maxLength: 255,
  pattern: '^[^\\s@\\u0000-\\u001f]+@[^\\s@\\u0000-\\u001f]+$',
})

export const setupState = Type.Object({ done: Type.Boolean(), needs_token: Type.Boolean() })

export const setupBody = Type.Object(
  {
    token: Type.String({ maxLength: 500 }),
    email: emailText,
    password: Type.String({ maxLength: 1024 }),
    tenant_name: Type.Optional(Type.String({ minLength: 1, maxLength: 120, pattern: '^[^\\u0000-\\u001f]+$' })),
  },
  { additionalProperties: false },
)

export const setupDone = Type.Object({ person_id: idText, tenant_id: idText })
