import { type TSchema, Type } from './type.ts'

/** One page of a list: `next_cursor` asks for the next one, null when there is none. */
export function pageOf<Item extends TSchema>(item: Item) {
  return Type.Object({
    items: Type.Array(item),
    next_cursor: Type.Union([Type.String(), Type.Null()]),
    total: Type.Optional(Type.Integer()),
  })
}

export const pageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, description: 'How many at the most; 50 unless told' })),
  cursor: Type.Optional(Type.String({ maxLength: 500, description: 'next_cursor of the page before' })),
}

/** ISO 8601 in UTC with milliseconds. */
export const instant = Type.String({ format: 'date-time' })
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/** Agent ids, environments and ruleset names (agent-api §1.4). */
export const identifier = Type.String({
  title: 'letters, digits, dot, underscore and hyphen, 128 at most',
  pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}$',
})
export const environmentName = Type.String({
  title: 'letters, digits, dot, underscore and hyphen, 64 at most',
  pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$',
})
/** As the rack's own tools call it: `east`, or `acme/east`. */
export const rackPattern = '^[a-z0-9][a-z0-9._-]{0,62}(/[a-z0-9][a-z0-9._-]{0,62})?$'
export const rackName = Type.String({ title: 'the name of a rack, such as east or acme/east', pattern: rackPattern })
export const idText = Type.String({
  title: 'an id as lists show it, 36 characters',
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
})

/** Whoever did something, as lists show it. */
export const principalRef = Type.Object({
  kind: Type.Union([
    Type.Literal('person'),
    Type.Literal('api_token'),
    Type.Literal('agent'),
    Type.Literal('agent_key'),
    Type.Literal('system'),
    Type.Literal('anyone'),
  ]),
  id: Type.String(),
  label: Type.String(),
})
