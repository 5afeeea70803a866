import { Type } from './type.ts'

export const searchKinds = ['agent', 'ruleset', 'approval', 'event', 'call', 'tool', 'rule', 'environment'] as const
export type SearchKind = (typeof searchKinds)[number]

export const searchQuery = Type.Object({ q: Type.String({ minLength: 1, maxLength: 200 }) })

export const searchHits = Type.Object({
  hits: Type.Array(
    Type.Object({
      kind: Type.Union([
        Type.Literal('agent'),
        Type.Literal('ruleset'),
        Type.Literal('approval'),
        Type.Literal('event'),
        Type.Literal('call'),
        Type.Literal('tool'),
        Type.Literal('rule'),
        Type.Literal('environment'),
      ]),
      id: Type.String({ description: 'What the page of that kind is opened with' }),
      label: Type.String(),
      hint: Type.String({ description: 'One short line that tells it from others of the same name' }),
    }),
  ),
})
