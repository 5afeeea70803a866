import { startAuthentication, startRegistration } from '@simplewebauthn/browser'
import { api } from '../../api/client.ts'
import type { EnrolledFactor, PasskeyOptions } from '../../api/types.ts'

type RegistrationOptions = Parameters<typeof startRegistration>[0]['optionsJSON']
export type AssertionOptions = Parameters<typeof startAuthentication>[0]['optionsJSON']

/** Has the browser make a passkey and hands it to the server. */
export async function addPasskey(label: string): Promise<EnrolledFactor> {
  const { challenge_id, options } = await api.post<PasskeyOptions>('/mfa/passkeys/challenge')
  // The server's options are those of the WebAuthn specification, in JSON.
  const optionsJSON = options as unknown as RegistrationOptions
  const credential = await startRegistration({ optionsJSON }).catch(inWords)
  return api.post<EnrolledFactor>('/mfa/passkeys', { challenge_id, label, credential })
}

/** Proves one of one's passkeys. */
export async function provePasskey(trust_device: boolean): Promise<void> {
  const { challenge_id, options } = await api.post<PasskeyOptions>('/mfa/verification/challenge')
  const credential = await signWithPasskey(options as unknown as AssertionOptions)
  await api.post('/mfa/verification/passkey', { challenge_id, credential, ...(trust_device && { trust_device }) })
}

/** Signs in with a passkey of this device, whoever's it is: it knows. */
export async function enterWithPasskey(): Promise<void> {
  const { challenge_id, options } = await api.post<PasskeyOptions>('/sign-in/passkey/challenge')
  const credential = await signWithPasskey(options as unknown as AssertionOptions)
  await api.post('/sign-in/passkey', { challenge_id, credential })
}

export function signWithPasskey(optionsJSON: AssertionOptions) {
  return startAuthentication({ optionsJSON }).catch(inWords)
}

export function canUsePasskeys(): boolean {
  return globalThis.PublicKeyCredential !== undefined
}

/** Browsers tell one error for declined, timed out and none found, on purpose. */
function inWords(cause: unknown): never {
  const name = cause instanceof Error ? cause.name : ''
  if (name === 'NotAllowedError' || name === 'AbortError')
    throw new Error('No passkey was used: it was declined, took too long, or this device has none of yours. Try again.')
  if (name === 'InvalidStateError') throw new Error('This device has a passkey for this account already.')
  throw cause
}
