import { type EntryMac, type MacFinding, macChecker, macKeyId, macOf } from '@countersign/trail'
import type { Secret } from '../../kernel/crypto.ts'

export type EntryMacs = {
  /** Undefined without a secret: entries then have no MAC. */
  readonly macOf: ((bytes: Uint8Array) => EntryMac) | undefined
  readonly check: (bytes: Uint8Array, mac: EntryMac) => MacFinding
}

/** The keyed MAC of entries: made with today's secret, checked with the ones before it too. */
export function entryMacs(current: Secret | undefined, older: readonly Secret[]): EntryMacs {
  const bytesOf = (secret: Secret): Uint8Array => new TextEncoder().encode(secret.reveal())
  const secret = current && bytesOf(current)
  const key = secret && macKeyId(secret)
  return {
    macOf: secret && key !== undefined ? (bytes) => ({ key, value: macOf(secret, bytes) }) : undefined,
    check: macChecker([...(secret ? [secret] : []), ...older.map(bytesOf)]),
  }
}
