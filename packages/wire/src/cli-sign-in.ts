import { instant } from './list.ts'
import { emailText } from './setup.ts'
import { Type } from './type.ts'

export const cliSignInDraft = Type.Object(
  { device: Type.Optional(Type.String({ maxLength: 150, description: 'What the machine is called' })) },
  { additionalProperties: false },
)

/** `state` and `verifier` stay with the command line; `user_code` is what it shows. */
export const cliSignInBegun = Type.Object({
  state: Type.String(),
  verifier: Type.String(),
  user_code: Type.String(),
  page: Type.String(),
  expires_at: instant,
  interval_seconds: Type.Integer(),
})

const userCode = Type.String({ maxLength: 40 })

export const cliSignInLook = Type.Object({ code: userCode }, { additionalProperties: false })

export const cliSignInWaiting = Type.Object({
  user_code: Type.String(),
  device: Type.String(),
  address: Type.String(),
  user_agent: Type.String(),
  made_at: instant,
  expires_at: instant,
})

export const cliSignInDecision = Type.Object(
  { code: userCode, approve: Type.Boolean() },
  { additionalProperties: false },
)

export const cliSignInCompletion = Type.Object(
  { state: Type.String({ maxLength: 200 }), verifier: Type.String({ maxLength: 300 }) },
  { additionalProperties: false },
)

export const cliSignInState = Type.Object({
  status: Type.Union([Type.Literal('pending'), Type.Literal('denied'), Type.Literal('signed_in')]),
  token: Type.Optional(Type.String({ description: 'Of the session; shown this once' })),
  expires_at: Type.Optional(instant),
  email: Type.Optional(emailText),
})
