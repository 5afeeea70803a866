import { createHash, verify } from 'node:crypto'

// Agents run apart from the server and its kernel, so the two uses they have stand here; each has a test vector.

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

const publicKeyShape = /^[0-9a-f]{64}$/
const signatureShape = /^[A-Za-z0-9+/]{86}==$/
/** What a raw Ed25519 key is wrapped in, so that Node reads it. */
const wrapping = Buffer.from('302a300506032b6570032100', 'hex')

export function isPublicKey(text: unknown): text is string {
  return typeof text === 'string' && publicKeyShape.test(text)
}

/** Ed25519 over exactly these bytes. Whatever is malformed is no signature; nothing is thrown. */
export function isSigned(bytes: Uint8Array, signature: unknown, publicKey: string): boolean {
  if (typeof signature !== 'string' || !signatureShape.test(signature) || !isPublicKey(publicKey)) return false
  const key = Buffer.concat([wrapping, Buffer.from(publicKey, 'hex')])
  try {
    return verify(null, bytes, { key, format: 'der', type: 'spki' }, Buffer.from(signature, 'base64'))
  } catch {
    // Thirty-two bytes that are no point of the curve.
    return false
  }
}
