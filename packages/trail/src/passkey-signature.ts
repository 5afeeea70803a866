import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { sha256 } from '#sha256'

// What a passkey signed (WebAuthn Level 3, §7.2) with a key of the COSE kind it registered (RFC 9053).

/** Thrown for an assertion or a key that does not hold; the message says why. */
export class NotSigned extends Error {
  override readonly name = 'NotSigned'
}

export type Assertion = {
  readonly client_data_json: string
  readonly authenticator_data: string
  readonly signature: string
}

const userPresent = 0x01
const userVerified = 0x04

/** Throws unless the key signed this challenge, for pages of this relying party, with its user verified. */
export function checkPasskeySignature(
  { client_data_json, authenticator_data, signature }: Assertion,
  wanted: { readonly challenge: string; readonly relyingParty: string; readonly publicKey: string },
): void {
  const clientData = bytesIn(client_data_json, 'client_data_json')
  const data = bytesIn(authenticator_data, 'authenticator_data')
  const { type, challenge, origin } = objectIn(clientData)
  if (type !== 'webauthn.get') throw new NotSigned('The passkey was not asked to sign, but for something else.')
  if (challenge !== wanted.challenge)
    throw new NotSigned('What was signed is not the content in the file: one of them was changed.')
  if (!isOriginOf(origin, wanted.relyingParty))
    throw new NotSigned(`It was signed on a page of another site than ${wanted.relyingParty}.`)
  if (data.length < 37) throw new NotSigned('authenticator_data is too short.')
  if (!data.subarray(0, 32).equals(sha256(Buffer.from(wanted.relyingParty))))
    throw new NotSigned(`The passkey signed for another relying party than ${wanted.relyingParty}.`)
  const flags = data[32] ?? 0
  if ((flags & userPresent) === 0 || (flags & userVerified) === 0)
    throw new NotSigned('The passkey did not verify that its user was there.')
  const { key, digest } = readCoseKey(bytesIn(wanted.publicKey, 'public_key'))
  const signed = Buffer.concat([data, sha256(clientData)])
  if (!verify(digest, signed, key, bytesIn(signature, 'signature')))
    throw new NotSigned('The signature does not fit the key: the signature, the key or what was signed was changed.')
}

function isOriginOf(origin: unknown, relyingParty: string): boolean {
  const url = typeof origin === 'string' ? URL.parse(origin) : null
  if (url === null) return false
  const isOfIt = url.hostname === relyingParty || url.hostname.endsWith(`.${relyingParty}`)
  return isOfIt && (url.protocol === 'https:' || url.hostname === 'localhost')
}

function readCoseKey(bytes: Buffer): { readonly key: KeyObject; readonly digest: 'sha256' | null } {
  const map = cborMapIn(bytes)
  const part = (label: number): string => {
    const value = map.get(label)
    if (!Buffer.isBuffer(value)) throw new NotSigned('The public key lacks a part.')
    return value.toString('base64url')
  }
  switch (map.get(3)) {
    case -8:
      return { key: keyOf({ kty: 'OKP', crv: 'Ed25519', x: part(-2) }), digest: null }
    case -7:
      return { key: keyOf({ kty: 'EC', crv: 'P-256', x: part(-2), y: part(-3) }), digest: 'sha256' }
    case -257:
      return { key: keyOf({ kty: 'RSA', n: part(-1), e: part(-2) }), digest: 'sha256' }
    default:
      throw new NotSigned('The public key is of a kind that is not used here: EdDSA, ES256 and RS256 are.')
  }
}

function keyOf(jwk: Record<string, string>): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch (cause) {
    throw new NotSigned('The public key is not a point of its curve, or not a key at all.', { cause })
  }
}

/** The one map of integers and byte strings that a COSE key is, to its last byte. */
function cborMapIn(bytes: Buffer): ReadonlyMap<number, number | Buffer> {
  let at = 0
  const head = (): { readonly major: number; readonly value: number } => {
    const first = bytes[at++] ?? 0xff
    const short = first & 31
    if (short < 24) return { major: first >> 5, value: short }
    const length = { 24: 1, 25: 2 }[short]
    if (length === undefined || at + length > bytes.length) throw new NotSigned('The public key cannot be read.')
    const value = bytes.readUIntBE(at, length)
    at += length
    return { major: first >> 5, value }
  }
  const item = (): number | Buffer => {
    const { major, value } = head()
    if (major === 0) return value
    if (major === 1) return -1 - value
    if (major !== 2 || at + value > bytes.length) throw new NotSigned('The public key cannot be read.')
    at += value
    return bytes.subarray(at - value, at)
  }
  const { major, value: count } = head()
  if (major !== 5) throw new NotSigned('The public key is no COSE key.')
  const map = new Map<number, number | Buffer>()
  for (let left = count; left > 0; left -= 1) {
    const label = item()
    if (typeof label !== 'number' || map.has(label)) throw new NotSigned('The public key cannot be read.')
    map.set(label, item())
  }
  if (at !== bytes.length) throw new NotSigned('Something follows the public key.')
  return map
}

function objectIn(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    if (typeof value === 'object' && value !== null) return { ...value }
  } catch {
    // Told below: where JSON.parse stumbled helps nobody.
  }
  throw new NotSigned('client_data_json is not what a browser writes.')
}

/** Only what base64url writes: a text with something else in it was changed. */
export function bytesIn(text: string, name: string): Buffer {
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.toString('base64url') !== text) throw new NotSigned(`${name} is not base64url.`)
  return bytes
}
