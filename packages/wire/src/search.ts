import { Type } from 'typebox'

export const searchKinds = ['agent', 'ruleset', 'approval', 'event', 'call', 'tool', 'rule', 'environment'] as const
export type SearchKind = (typeof searchKinds)[number]

export const searchQuery = Type.Object({ q: Type.String({ minLength: 1, maxLength: 200 }) })

export const searchHits = Type.Object({
  hits: Type.Array(
    Type.Object({
      kind: Type.Union(searchKinds.map((kind) => Type.Literal(kind))),
      id: Type.String({ description: 'What the page of that kind is opened with' }),
      label: Type.String(),
      hint: Type.String({ description: 'One short line that tells it from others of the same name' }),
    }),
  ),
})
