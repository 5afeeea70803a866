/** Why an identity provider's answer let nobody in, as the server tells it in the address. */
export const reasonWords = {
  state: 'That sign-in was begun in another window, or took longer than ten minutes. Try again.',
  provider: 'The identity provider did not answer as it should. Try again; if it stays so, tell whoever runs it.',
  unverified_email: 'The identity provider has not verified your address. Verify it there, then try again.',
  domain: 'Accounts of this domain may not sign in here.',
  unknown: 'Nobody here has this address. Ask an administrator to invite you.',
  inactive: 'This account is suspended or locked. Ask an administrator.',
  no_role: 'None of your groups gives you a role here. Ask an administrator.',
  another_identity: 'This address is linked to another account of the identity provider. Ask an administrator.',
} as const

export type Reason = keyof typeof reasonWords

export function isReason(value: unknown): value is Reason {
  return typeof value === 'string' && Object.hasOwn(reasonWords, value)
}
