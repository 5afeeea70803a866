import { idText, instant } from './list.ts'
import { nameText } from './text.ts'
import { type Static, Type } from './type.ts'

export const factorKind = Type.Union([Type.Literal('totp'), Type.Literal('passkey'), Type.Literal('yubico')])
export type FactorKind = Static<typeof factorKind>

export const factorLabel = nameText({ max: 150 })

const nullableInstant = Type.Union([instant, Type.Null()])

export const factorItem = Type.Object({
  id: idText,
  kind: factorKind,
  label: Type.String(),
  made_at: instant,
  last_used_at: nullableInstant,
  is_backed_up: Type.Union([Type.Boolean(), Type.Null()]),
  cli_capable: Type.Boolean(),
})

export const trustedDevice = Type.Object({
  id: idText,
  label: Type.String(),
  address: Type.String(),
  made_at: instant,
  last_used_at: nullableInstant,
  expires_at: instant,
  is_current: Type.Boolean(),
})

/** One's own factors, as the page of account and security shows them. */
export const factorStatus = Type.Object({
  is_enrolled: Type.Boolean(),
  is_required: Type.Boolean(),
  is_verified: Type.Boolean(),
  is_stepped_up: Type.Boolean(),
  has_password: Type.Boolean(),
  factors: Type.Array(factorItem),
  preferred_kind: Type.Union([factorKind, Type.Null()]),
  backup_codes: Type.Object({ total: Type.Integer(), unused: Type.Integer(), made_at: nullableInstant }),
  trusted_devices: Type.Array(trustedDevice),
  trusted_device_days: Type.Integer({ description: '0 when no browser is trusted' }),
  yubico_is_configured: Type.Boolean(),
  locked_until: nullableInstant,
})
export type FactorStatus = Static<typeof factorStatus>

const strict = { additionalProperties: false } as const

export const totpDraft = Type.Object({ label: Type.Optional(factorLabel) }, strict)
export const totpStarted = Type.Object({
  id: idText,
  secret: Type.String({ description: 'Base32, to type where no camera is' }),
  uri: Type.String({ description: 'otpauth://, what the QR code holds' }),
})
export const factorCode = Type.Object({ code: Type.String({ minLength: 1, maxLength: 64 }) }, strict)
export const factorParams = Type.Object({ id: idText })

/** Whoever proved a factor: until when sharp acts are open. */
export const provenFactor = Type.Object({
  verified_at: instant,
  step_up_until: instant,
  trusts_device: Type.Boolean(),
})

export const enrolledFactor = Type.Object({
  id: idText,
  backup_codes: Type.Union([Type.Array(Type.String()), Type.Null()], {
    description: 'With the first factor only, and never shown again',
  }),
  verified_at: instant,
  step_up_until: instant,
})

// What browsers hand over is checked by the WebAuthn library, field by field.
const credential = Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true })
const options = Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true })

export const passkeyOptions = Type.Object({ challenge_id: idText, options })
export const passkeyDraft = Type.Object({ challenge_id: idText, label: factorLabel, credential }, strict)
export const passkeyProof = Type.Object(
  { challenge_id: idText, credential, trust_device: Type.Optional(Type.Boolean()) },
  strict,
)
/** Signing in with a passkey alone: the challenge is nobody's until it is answered. */
export const passkeySignInOptions = Type.Object({ challenge_id: Type.String(), options })
export const passkeySignIn = Type.Object(
  { challenge_id: Type.String({ minLength: 1, maxLength: 100 }), credential },
  strict,
)
export const codeProof = Type.Object(
  { code: Type.String({ minLength: 1, maxLength: 64 }), trust_device: Type.Optional(Type.Boolean()) },
  strict,
)
export const passwordProof = Type.Object({ password: Type.String({ maxLength: 1024 }) }, strict)
export const yubicoDraft = Type.Object(
  { otp: Type.String({ minLength: 32, maxLength: 48 }), label: factorLabel },
  strict,
)
export const factorChange = Type.Object(
  { label: Type.Optional(factorLabel), cli_capable: Type.Optional(Type.Boolean()) },
  strict,
)
export const preferredFactor = Type.Object({ preferred_kind: Type.Union([factorKind, Type.Null()]) }, strict)
export const backupCodes = Type.Object({ backup_codes: Type.Array(Type.String()) })
export const factorDone = Type.Object({ id: idText })

export const requiredRoles = Type.Object(
  { roles: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 100, uniqueItems: true }) },
  strict,
)
export const factorReset = Type.Object({ removed: Type.Integer(), sessions_ended: Type.Integer() })
