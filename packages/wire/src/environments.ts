import { environmentName } from './list.ts'
import { Type } from './type.ts'

export const environmentColors = ['red', 'orange', 'yellow', 'green', 'teal', 'blue', 'violet', 'gray'] as const
const color = Type.Enum([...environmentColors])
const position = Type.Integer({ minimum: 0, maximum: 10_000 })

export const environment = Type.Object({
  name: environmentName,
  color: Type.String(),
  position: Type.Integer(),
  is_protected: Type.Boolean(),
  key_count: Type.Integer(),
})

export const environmentDraft = Type.Object(
  { name: environmentName, color, position: Type.Optional(position), is_protected: Type.Optional(Type.Boolean()) },
  { additionalProperties: false },
)

export const environmentChange = Type.Object(
  { color: Type.Optional(color), position: Type.Optional(position), is_protected: Type.Optional(Type.Boolean()) },
  { additionalProperties: false, minProperties: 1 },
)
