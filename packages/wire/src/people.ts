import { idText, instant, nullable } from './list.ts'
import { factorKind } from './mfa.ts'
import { heldRole, roleGrant } from './roles.ts'
import { emailText } from './setup.ts'
import { lineText, nameText } from './text.ts'
import { Type } from './type.ts'

export const personStatus = Type.Union([
  Type.Literal('invited', { description: 'Has not taken up the invitation' }),
  Type.Literal('active'),
  Type.Literal('locked', { description: 'By too many failures, or by somebody; may end by itself' }),
  Type.Literal('suspended', { description: 'Until somebody lifts it' }),
])

const personName = nameText({ max: 120 })
const reason = lineText({ max: 400 })
const grants = Type.Array(roleGrant, { minItems: 1, maxItems: 50 })

export const person = Type.Object({
  id: idText,
  email: Type.String(),
  name: Type.String(),
  status: personStatus,
  status_reason: nullable(Type.String()),
  status_since: nullable(instant),
  locked_until: nullable(instant),
  roles: Type.Array(heldRole),
  permissions: Type.Array(Type.String(), { description: 'Held somewhere, by whatever role' }),
  has_password: Type.Boolean(),
  identities: Type.Array(Type.Object({ provider: Type.String(), last_used_at: nullable(instant) })),
  factors: Type.Array(Type.Object({ kind: factorKind, since: instant, last_used_at: nullable(instant) }), {
    description: 'Confirmed second factors, oldest first; what they are called is for their owner alone',
  }),
  sessions: Type.Integer({ description: 'Signed in how many times at this moment' }),
  last_signed_in_at: nullable(instant),
  made_at: instant,
  made_by: nullable(Type.Object({ id: idText, label: Type.String() })),
  invitation_expires_at: nullable(instant),
  is_you: Type.Boolean(),
})

export const peopleQuery = Type.Object({
  status: Type.Optional(personStatus),
  role: Type.Optional(Type.String({ maxLength: 63 })),
  q: Type.Optional(Type.String({ maxLength: 200, description: 'Part of the address or the name' })),
})

export const personParams = Type.Object({ id: idText })

export const invitationDraft = Type.Object(
  { email: emailText, name: Type.Optional(personName), roles: grants },
  { additionalProperties: false },
)

/** `link` is shown this once; whoever has it becomes that person, so it is handed over in confidence. */
export const invitation = Type.Object({ person_id: idText, link: Type.String(), expires_at: instant })

export const personChange = Type.Object(
  { name: Type.Optional(personName), email: Type.Optional(emailText), roles: Type.Optional(grants) },
  { additionalProperties: false, minProperties: 1 },
)

export const personReason = Type.Object({ reason }, { additionalProperties: false })

/** What whoever opens a link is told before anything is asked. */
export const linkState = Type.Object({
  purpose: Type.Union([Type.Literal('invitation'), Type.Literal('password'), Type.Literal('recovery')]),
  email: Type.String(),
  name: Type.String(),
  tenant: Type.String(),
  expires_at: instant,
})

export const linkBody = Type.Object({ link: Type.String({ maxLength: 100 }) }, { additionalProperties: false })

export const linkAcceptance = Type.Object(
  {
    link: Type.String({ maxLength: 100 }),
    password: Type.String({ maxLength: 1024 }),
    name: Type.Optional(personName),
  },
  { additionalProperties: false },
)

export const othersSessionParams = Type.Object({ id: idText, session: idText })
