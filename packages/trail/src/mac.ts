import { createHmac, timingSafeEqual } from 'node:crypto'

/**
 * The keyed MAC of an entry: HMAC-SHA-256 over its RFC 8785 bytes. For those who relied on one; it shows that whoever
 * wrote the entry held the secret, and is not the evidence, since whoever holds the secret can also forge.
 */
export type EntryMac = { readonly key: string; readonly value: Uint8Array }

const keyLabel = 'countersign/trail/mac-key/1'

/** Names a secret without telling it, so that entries say which one was used. */
export function macKeyId(secret: Uint8Array): string {
  return createHmac('sha256', secret).update(keyLabel).digest('hex').slice(0, 16)
}

export function macOf(secret: Uint8Array, entryBytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHmac('sha256', secret).update(entryBytes).digest())
}

/** `unknown_key`: made with none of these secrets. */
export type MacFinding = 'good' | 'wrong' | 'unknown_key'

/** Checks MACs with the secrets one has: today's and those before it. */
export function macChecker(secrets: readonly Uint8Array[]): (bytes: Uint8Array, mac: EntryMac) => MacFinding {
  const byId = new Map(secrets.map((secret) => [macKeyId(secret), secret]))
  return (bytes, { key, value }) => {
    const secret = byId.get(key)
    if (secret === undefined) return 'unknown_key'
    const wanted = macOf(secret, bytes)
    return wanted.length === value.length && timingSafeEqual(wanted, value) ? 'good' : 'wrong'
  }
}
