import type { Type as TypeBox } from 'typebox'

export type { Static, TSchema } from 'typebox'

type Schema = object
type Builder = Pick<
  typeof TypeBox,
  | 'Array'
  | 'Boolean'
  | 'Enum'
  | 'Integer'
  | 'Literal'
  | 'Null'
  | 'Number'
  | 'Object'
  | 'Optional'
  | 'Partial'
  | 'Record'
  | 'String'
  | 'Union'
  | 'Unknown'
  | 'Unsafe'
>

/** Which schemas their object may be without. Kept beside them, so that what is printed is plain JSON Schema. */
const optional = new WeakSet<Schema>()

function optionalOf(schema: Schema): Schema {
  const copy = { ...schema }
  optional.add(copy)
  return copy
}

function object(properties: Readonly<Record<string, Schema>>, options?: object): Schema {
  const required = Object.keys(properties).filter((name) => !optional.has(properties[name] ?? {}))
  return { type: 'object', ...(required.length > 0 ? { required } : {}), properties, ...options }
}

function partial({ properties }: { readonly properties: Readonly<Record<string, Schema>> }, options?: object): Schema {
  const all = Object.entries(properties).map(([name, schema]) => [name, optionalOf(schema)] as const)
  return object(Object.fromEntries(all), options)
}

function record(key: { readonly pattern?: string }, value: Schema, options?: object): Schema {
  return { type: 'object', patternProperties: { [key.pattern ?? '^.*$']: value }, ...options }
}

const plain =
  (type: string) =>
  (options?: object): Schema => ({ type, ...options })

const builder = {
  Array: (items: Schema, options?: object) => ({ type: 'array', items, ...options }),
  Boolean: plain('boolean'),
  Enum: (values: readonly unknown[], options?: object) => ({ enum: values, ...options }),
  Integer: plain('integer'),
  Literal: (value: unknown, options?: object) => ({ type: typeof value, const: value, ...options }),
  Null: plain('null'),
  Number: plain('number'),
  Object: object,
  Optional: optionalOf,
  Partial: partial,
  Record: record,
  String: plain('string'),
  Union: (anyOf: readonly Schema[], options?: object) => ({ anyOf, ...options }),
  Unknown: (options?: object) => ({ ...options }),
  Unsafe: (schema: Schema) => ({ ...schema }),
}

/**
 * The part of TypeBox's builder that our wires use, with its types and without its code: TypeBox is some 680 modules,
 * a quarter of a second of every start and tens of megabytes at rest, of which schemas need these few lines. A test
 * holds both builders' schemas against each other.
 */
// The types are TypeBox's, the schemas made here equal to its: that is what the test shows.
export const Type = builder as unknown as Builder
