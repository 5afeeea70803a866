import { idText, instant, nullable } from './list.ts'
import { heldRole } from './roles.ts'
import { emailText } from './setup.ts'
import { Type } from './type.ts'

export const signInBody = Type.Object(
  { email: Type.String({ maxLength: 255 }), password: Type.String({ maxLength: 1024 }) },
  { additionalProperties: false },
)

/** Everything a page must know of who is signed in. */
export const sessionView = Type.Object({
  person: Type.Object({
    id: idText,
    email: emailText,
    name: Type.String(),
    role: Type.String({ description: 'The roles in words, for people to read' }),
    roles: Type.Array(heldRole),
  }),
  tenant: Type.Object({ id: idText, name: Type.String() }),
  permissions: Type.Array(Type.String(), { description: 'Held somewhere' }),
  permitted_in: Type.Record(Type.String(), Type.Array(Type.String()), {
    description: 'By environment, what one may do there; whatever is not about an environment is in permissions only',
  }),
  factors: Type.Object({
    is_enrolled: Type.Boolean(),
    is_required: Type.Boolean({ description: 'Must have a second factor, by the tenant’s setting or by role' }),
    is_verified: Type.Boolean({ description: 'Took the second step of the sign-in' }),
    has_password: Type.Boolean(),
    was_reset: nullable(
      Type.Object({
        at: instant,
        by: nullable(Type.String({ description: 'Null for the command on the server’s machine' })),
      }),
    ),
  }),
  environments: Type.Array(
    Type.Object({ name: Type.String(), color: Type.String(), position: Type.Integer(), is_protected: Type.Boolean() }),
  ),
  recoveries: Type.Array(
    Type.Object({
      id: idText,
      person: Type.Object({ id: idText, email: Type.String() }),
      stage: Type.Union([Type.Literal('made'), Type.Literal('used')]),
      at: instant,
    }),
    { description: 'For administrators: recovery links from the server’s machine they have not taken note of' },
  ),
  idle_seconds: Type.Integer({ description: 'The session ends when it was not used for so long' }),
  server: Type.Object({ version: Type.String(), base_url: Type.String(), profile: Type.String() }),
})

export const sessionRow = Type.Object({
  id: idText,
  channel: Type.Union([Type.Literal('web'), Type.Literal('cli')]),
  credential: Type.String({
    description: 'How it began: password, invitation, recovery, passkey, or an identity provider’s name',
  }),
  device: nullable(Type.String({ description: 'What a command line calls its machine' })),
  made_at: instant,
  last_seen_at: instant,
  expires_at: instant,
  address: Type.String(),
  user_agent: Type.String(),
  is_current: Type.Boolean(),
})

export const passwordChange = Type.Object(
  { current_password: Type.String({ maxLength: 1024 }), new_password: Type.String({ maxLength: 1024 }) },
  { additionalProperties: false },
)

export const endedSessions = Type.Object({ ended: Type.Integer() })

/** How one can sign in here, before anybody is known. */
export const signInProviders = Type.Object({
  password: Type.Boolean(),
  providers: Type.Array(Type.Object({ name: Type.String(), title: Type.String() })),
})
