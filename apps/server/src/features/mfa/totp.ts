import { Secret as OtpSecret, TOTP } from 'otpauth'
import type { Keyring } from '../../kernel/crypto.ts'

const period = 30

/** 160 bits, as RFC 4226 advises; what an authenticator app and this server share. */
export function newTotpSecret(): { readonly base32: string; readonly bytes: Uint8Array } {
  const secret = new OtpSecret({ size: 20 })
  return { base32: secret.base32, bytes: secret.bytes }
}

export function totpUri(bytes: Uint8Array, issuer: string, account: string): string {
  return made(bytes, issuer, account).toString()
}

/** The time step a code belongs to: the current one or a neighbor; nothing when it fits none. */
export function stepOf(bytes: Uint8Array, code: string, now: Date): number | undefined {
  const delta = made(bytes).validate({ token: code, timestamp: now.getTime(), window: 1 })
  return delta === null ? undefined : Math.floor(now.getTime() / 1000 / period) + delta
}

/** SHA-1 and six digits, since that is what every authenticator app can do. */
function made(bytes: Uint8Array, issuer = '', label = ''): TOTP {
  const { buffer, byteOffset, byteLength } = bytes
  const secret = new OtpSecret({ buffer: buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer })
  return new TOTP({ issuer, label, algorithm: 'SHA1', digits: 6, period, secret })
}

/** What binds a sealed secret to its row. */
export const sealedFactorRow = (tenant: string, id: string): string => `factors\n${tenant}\n${id}`

export function sealSecret(sealing: Pick<Keyring, 'seal'>, tenant: string, id: string, bytes: Uint8Array): string {
  return sealing.seal('factor-secret', sealedFactorRow(tenant, id), bytes)
}

export function openSecret(sealing: Pick<Keyring, 'unseal'>, tenant: string, id: string, box: string): Uint8Array {
  return sealing.unseal('factor-secret', sealedFactorRow(tenant, id), box)
}
