import { environmentName, idText, instant, nullable } from './list.ts'
import { nameText } from './text.ts'
import { Type } from './type.ts'

export const rendering = Type.Union([Type.Literal('auto'), Type.Literal('contract_bundle'), Type.Literal('ruleset')])

/** Printed where people read, so it may hold no markup. */
const label = nameText({ min: 0, max: 255 })

export const agentKey = Type.Object({
  id: idText,
  environment: environmentName,
  label: Type.String(),
  prefix: Type.String(),
  rendering,
  signing_key_id: nullable(idText),
  may_decide: Type.Boolean({ description: 'May decide approvals that other keys of its environment asked for' }),
  made_at: instant,
  made_by: Type.Object({ id: idText, label: Type.String() }),
  last_used_at: nullable(instant),
  revoked_at: nullable(instant),
})

export const agentKeyDraft = Type.Object(
  {
    environment: environmentName,
    label: Type.Optional(label),
    rendering: Type.Optional(rendering),
    may_decide: Type.Optional(Type.Boolean({ description: 'Never for a key that an agent holds' })),
  },
  { additionalProperties: false },
)

/** `key` is the whole key; it is never shown again. */
export const madeAgentKey = Type.Object({ ...agentKey.properties, key: Type.String() })

export const agentKeyChange = Type.Object(
  { label: Type.Optional(label), rendering: Type.Optional(rendering), signing_key_id: Type.Optional(idText) },
  { additionalProperties: false, minProperties: 1 },
)

export const agentKeyQuery = Type.Object({
  environment: Type.Optional(environmentName),
  revoked: Type.Optional(Type.Boolean({ description: 'With true, also keys that were revoked' })),
})

/** What revoking it would end. */
export const keyConsequence = Type.Object({
  open_streams: Type.Integer(),
  agents: Type.Array(Type.Object({ agent_id: Type.String(), environment: Type.String() })),
})
