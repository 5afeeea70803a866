import type {
  AuthenticationResponseJSON,
  AuthenticatorTransport,
  RegistrationResponseJSON,
} from '@simplewebauthn/server'
import type { Factor } from './factor.ts'

/** For whom passkeys sign: a domain, and the pages of it that may ask. */
export type RelyingParty = { readonly id: string; readonly name: string; readonly origins: readonly string[] }

/** EdDSA, ES256, RS256: what Node verifies without experiments, and every authenticator has at least one of. */
const algorithms = [-8, -7, -257]
const timeout = 300_000

type For = { readonly rp: RelyingParty; readonly challenge: string; readonly factors: readonly Factor[] }
type Enrolling = For & { readonly userHandle: string; readonly email: string; readonly name: string }

export async function enrollOptions({ rp, challenge, factors, userHandle, email, name }: Enrolling) {
  const { generateRegistrationOptions } = await import('@simplewebauthn/server')
  return generateRegistrationOptions({
    rpName: rp.name,
    rpID: rp.id,
    userName: email,
    userDisplayName: name,
    userID: bytesOf(userHandle),
    challenge: bytesOf(challenge),
    timeout,
    attestationType: 'none',
    excludeCredentials: descriptors(factors),
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
    supportedAlgorithmIDs: algorithms,
  })
}

export async function assertOptions({ rp, challenge, factors }: For) {
  const { generateAuthenticationOptions } = await import('@simplewebauthn/server')
  return generateAuthenticationOptions({
    rpID: rp.id,
    challenge: bytesOf(challenge),
    timeout,
    allowCredentials: descriptors(factors),
    userVerification: 'required',
  })
}

/** What a new passkey is, once the answer was checked; nothing when it does not hold. */
export async function checkEnrollment(rp: RelyingParty, challenge: string, answer: Readonly<Record<string, unknown>>) {
  const { verifyRegistrationResponse } = await import('@simplewebauthn/server')
  const response = answer as unknown as RegistrationResponseJSON
  const verified = await verifyRegistrationResponse({
    response,
    expectedChallenge: challenge,
    expectedOrigin: [...rp.origins],
    expectedRPID: rp.id,
    requireUserVerification: true,
    supportedAlgorithmIDs: algorithms,
  }).catch(refusedByLibrary)
  if (!verified?.verified) return undefined
  const { credential, aaguid, credentialDeviceType, credentialBackedUp, attestationObject } = verified.registrationInfo
  return {
    credentialId: credential.id,
    publicKey: Buffer.from(credential.publicKey).toString('base64url'),
    counter: credential.counter,
    transports: (credential.transports ?? []).filter((one) => typeof one === 'string').slice(0, 10),
    isBackedUp: credentialBackedUp,
    aaguid,
    deviceType: credentialDeviceType,
    attestation: Buffer.from(attestationObject).toString('base64url'),
  }
}

/** The new counter when the passkey signed this challenge, for us, with its user verified. */
export async function checkAssertion(
  rp: RelyingParty,
  challenge: string,
  factor: Factor,
  answer: Readonly<Record<string, unknown>>,
): Promise<{ readonly counter: number } | undefined> {
  const { verifyAuthenticationResponse } = await import('@simplewebauthn/server')
  const response = answer as unknown as AuthenticationResponseJSON
  const verified = await verifyAuthenticationResponse({
    response,
    expectedChallenge: challenge,
    expectedOrigin: [...rp.origins],
    expectedRPID: rp.id,
    requireUserVerification: true,
    credential: {
      id: factor.credentialId ?? '',
      publicKey: bytesOf(factor.publicKey ?? ''),
      // Compared in SQL instead, where answers that race cannot both pass.
      counter: 0,
    },
  }).catch(refusedByLibrary)
  return verified?.verified ? { counter: verified.authenticationInfo.newCounter } : undefined
}

/** The library throws for each thing that does not hold; all of them mean that the answer is not good. */
function refusedByLibrary(): undefined {
  return undefined
}

function descriptors(factors: readonly Factor[]) {
  return factors.flatMap(({ kind, credentialId, transports }) =>
    kind === 'passkey' && credentialId !== null
      ? [{ id: credentialId, transports: (transports ?? []) as AuthenticatorTransport[] }]
      : [],
  )
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(base64url, 'base64url'))
}
