import { createCipheriv, createDecipheriv, createSecretKey, hash, randomBytes, randomFillSync } from 'node:crypto'
import { canonicalJson, type JsonObject } from './canonical-json.ts'
import type { SealedFacts } from './entry.ts'

export const personKeyBytes = 32

const algorithm = 'aes-256-gcm'
const version = 1
const nonceBytes = 12
const tagBytes = 16
const keyLabel = new TextEncoder().encode('countersign/trail/person-key/1\0')

/** A fresh key for one person's facts. */
export function makePersonKey(): Uint8Array {
  return new Uint8Array(randomBytes(personKeyBytes))
}

/**
 * The name an entry gives to a person's key: a digest of it. Since GCM alone would let two keys open one
 * box to two texts, naming the key by its digest is what makes a box mean one thing only.
 */
export function personKeyName(key: Uint8Array): string {
  checkKey(key)
  return hash('sha256', Buffer.concat([keyLabel, key]), 'base64url')
}

/** Encrypts personal facts for one entry. The box opens only for this entry and under this key. */
export function sealFacts(key: Uint8Array, entryId: string, facts: JsonObject): SealedFacts {
  return factSealer(key)(entryId, facts)
}

/** The same for many entries: reading the key and naming it costs four times as much as a box. */
export function factSealer(key: Uint8Array): (entryId: string, facts: JsonObject) => SealedFacts {
  const name = personKeyName(key)
  const secret = createSecretKey(key)
  return (entryId, facts) => {
    const nonce = freshNonce()
    const cipher = createCipheriv(algorithm, secret, nonce)
    cipher.setAAD(boundTo(entryId, name))
    const parts = [versionByte, nonce, cipher.update(canonicalJson(facts), 'utf8'), cipher.final(), cipher.getAuthTag()]
    return { box: Buffer.concat(parts).toString('base64url'), key: name }
  }
}

const versionByte = Buffer.of(version)

// Drawn many at once, since asking costs more than the bytes. Each is handed out once.
const nonces = Buffer.alloc(512 * nonceBytes)
let noncesUsed = nonces.length

function freshNonce(): Buffer {
  if (noncesUsed === nonces.length) {
    randomFillSync(nonces)
    noncesUsed = 0
  }
  noncesUsed += nonceBytes
  return nonces.subarray(noncesUsed - nonceBytes, noncesUsed)
}

/** The facts in a box, or undefined when it is not this key's, not this entry's, or was changed. */
export function openFacts(key: Uint8Array, entryId: string, sealed: SealedFacts): JsonObject | undefined {
  if (personKeyName(key) !== sealed.key) return undefined
  const box = Buffer.from(sealed.box, 'base64url')
  if (box.length < 1 + nonceBytes + tagBytes || box[0] !== version) return undefined
  const decipher = createDecipheriv(algorithm, key, box.subarray(1, 1 + nonceBytes), { authTagLength: tagBytes })
  decipher.setAAD(boundTo(entryId, sealed.key))
  decipher.setAuthTag(box.subarray(box.length - tagBytes))
  try {
    const plain = Buffer.concat([
      decipher.update(box.subarray(1 + nonceBytes, box.length - tagBytes)),
      decipher.final(),
    ])
    const facts: unknown = JSON.parse(plain.toString('utf8'))
    return isFacts(facts) ? facts : undefined
  } catch {
    // A box that does not authenticate tells nothing; the caller shows "erased or changed" either way.
    return undefined
  }
}

function boundTo(entryId: string, keyName: string): Uint8Array {
  return Buffer.from(`countersign/trail/sealed/1\0${entryId}\0${keyName}`, 'utf8')
}

function checkKey(key: Uint8Array): void {
  if (key.length !== personKeyBytes)
    throw new RangeError(`A person's key has ${personKeyBytes} bytes, not ${key.length}.`)
}

function isFacts(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
