import { environmentName, idText, instant, nullable, rackName } from './list.ts'
import { permissions } from './permission.ts'
import { nameText } from './text.ts'
import { Type } from './type.ts'

export const permissionName = Type.Union(permissions.map((name) => Type.Literal(name)))

/** Also what no longer exists may have been granted, so answers take any text. */
const permissionText = Type.String()

export const roleName = Type.String({
  title: 'a small letter, then small letters, digits and hyphens, 63 at most',
  pattern: '^[a-z][a-z0-9-]{0,62}$',
  description: 'Small letters, digits, hyphens',
})
const title = nameText({ max: 80 })
const description = nameText({ min: 0, max: 400 })

export const role = Type.Object({
  name: roleName,
  title: Type.String(),
  description: Type.String(),
  is_built_in: Type.Boolean(),
  for_people: Type.Boolean({ description: 'False for roles that only API tokens are made from' }),
  permissions: Type.Array(permissionText),
  people: Type.Integer({ description: 'How many hold it, wherever' }),
  changed_at: nullable(instant),
})

/** Every permission there is, in words, for the matrix of roles. */
export const permissionView = Type.Object({
  name: permissionText,
  does: Type.String(),
  reach: Type.Union(
    [Type.Literal('anywhere'), Type.Literal('environment'), Type.Literal('rack'), Type.Literal('tenant')],
    {
      description:
        'What is left of it when its role is given for one environment: all, that environment, the racks there, nothing',
    },
  ),
  is_guarded: Type.Boolean({ description: 'In protected environments only with protected:write in the same role' }),
  for_tokens: Type.Boolean(),
  is_held: Type.Boolean({ description: 'Whether whoever asks may give it in a role: held for every environment' }),
})

export const roleList = Type.Object({ items: Type.Array(role), permissions: Type.Array(permissionView) })

export const roleDraft = Type.Object(
  {
    name: roleName,
    title: Type.Optional(title),
    description: Type.Optional(description),
    permissions: Type.Array(permissionName, { uniqueItems: true, minItems: 1 }),
  },
  { additionalProperties: false },
)

export const roleChange = Type.Object(
  {
    title: Type.Optional(title),
    description: Type.Optional(description),
    permissions: Type.Optional(Type.Array(permissionName, { uniqueItems: true, minItems: 1 })),
  },
  { additionalProperties: false, minProperties: 1 },
)

export const roleParams = Type.Object({ name: roleName })

/** A role to be held: everywhere, in one environment, on one rack, or on one rack while it is in that environment. */
export const roleGrant = Type.Object(
  {
    role: roleName,
    environment: nullable(environmentName),
    rack: Type.Optional(nullable(rackName)),
  },
  { additionalProperties: false },
)

/** A role somebody holds; null is every environment, and every rack. */
export const heldRole = Type.Object({
  role: Type.String(),
  environment: nullable(Type.String()),
  rack: nullable(Type.String()),
})

export const accessQuery = Type.Object(
  {
    permission: permissionName,
    environment: Type.Optional(environmentName),
    rack: Type.Optional(rackName),
  },
  { additionalProperties: false },
)

/** Whether whoever asks may do it there; `detail` says why not. */
export const accessAnswer = Type.Object({
  permission: Type.String(),
  environment: nullable(Type.String()),
  rack: nullable(Type.String()),
  is_allowed: Type.Boolean(),
  detail: nullable(Type.String()),
})

export const roleHolders = Type.Object({
  items: Type.Array(
    Type.Object({
      person_id: idText,
      email: Type.String(),
      name: Type.String(),
      environment: nullable(Type.String()),
      rack: nullable(Type.String()),
    }),
  ),
})
