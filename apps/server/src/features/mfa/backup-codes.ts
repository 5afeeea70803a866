import type { Keyring } from '../../kernel/crypto.ts'

const count = 10

/** Ten codes of 48 random bits: shown once, each works once. */
export function newBackupCodes(): readonly string[] {
  return Array.from({ length: count }, () => {
    const bytes = globalThis.crypto.getRandomValues(new Uint8Array(6))
    return Buffer.from(bytes).toString('hex').toUpperCase()
  })
}

/** As people type them: small letters, spaces and dashes do not matter. */
export function readBackupCode(typed: string): string | undefined {
  const code = typed.replaceAll(/[\s-]/g, '').toUpperCase()
  return /^[0-9A-F]{12}$/.test(code) ? code : undefined
}

export function digestsOfCode(
  keyring: Pick<Keyring, 'digests'>,
  tenant: string,
  person: string,
  code: string,
): readonly string[] {
  return keyring.digests('backup-code', `${tenant}\n${person}\n${code}`)
}
