import { idText } from './list.ts'
import { lineText } from './text.ts'
import { Type } from './type.ts'

const emailForm = {
  minLength: 3,
  maxLength: 255,
  title: 'an e-mail address',
  pattern: '^[^\\s@\\u0000-\\u001f]+@[^\\s@\\u0000-\\u001f]+$',
}

export const emailText = Type.String(emailForm)

/** Where an address comes by another way than a body: the same form. */
export function isEmail(text: string): boolean {
  const { length } = [...text]
  return length >= emailForm.minLength && length <= emailForm.maxLength && new RegExp(emailForm.pattern, 'u').test(text)
}

export const setupState = Type.Object({ done: Type.Boolean(), needs_token: Type.Boolean() })

export const setupBody = Type.Object(
  {
    token: Type.String({ maxLength: 500 }),
    email: emailText,
    password: Type.String({ maxLength: 1024 }),
    tenant_name: Type.Optional(lineText({ max: 120 })),
  },
  { additionalProperties: false },
)

export const setupDone = Type.Object({ person_id: idText, tenant_id: idText })
