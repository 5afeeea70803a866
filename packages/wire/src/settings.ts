import { nullable } from './list.ts'
import { Type } from './type.ts'

export const settingSource = Type.Union([
  Type.Literal('default'),
  Type.Literal('environment'),
  Type.Literal('database'),
])
const settingValue = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()])

export const setting = Type.Object({
  name: Type.String(),
  group: Type.String(),
  title: Type.String(),
  help: Type.String(),
  kind: Type.Union([Type.Literal('integer'), Type.Literal('boolean'), Type.Literal('choice')]),
  unit: nullable(Type.String()),
  choices: Type.Array(Type.Object({ value: Type.String(), title: Type.String() })),
  minimum: nullable(Type.Number()),
  maximum: nullable(Type.Number()),
  is_optional: Type.Boolean(),
  value: settingValue,
  source: settingSource,
  /** What holds when the database says nothing. */
  fallback: settingValue,
  environment_variable: nullable(Type.String()),
})

export const settingList = Type.Object({ items: Type.Array(setting) })
export const settingChange = Type.Object({ value: settingValue }, { additionalProperties: false })
