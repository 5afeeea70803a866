import { hash } from 'node:crypto'

/** The one place where this package's hash is chosen, so that a browser build can bring its own. */
export function sha256(bytes: Uint8Array): Uint8Array {
  // By way of hexadecimal, since asking for a buffer costs twice as much as the hash itself.
  return Buffer.from(hash('sha256', bytes, 'hex'), 'hex')
}

export function sha256Hex(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex')
}
