import {
  argon2,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  hkdfSync,
  randomBytes,
  randomInt,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto'
import { promisify } from 'node:util'

/**
 * What each use of a server secret is for. The label goes into the derived key, so that a digest made for one purpose
 * means nothing for another.
 */
export type Purpose =
  | 'agent-key'
  | 'session-token'
  | 'api-token'
  | 'person-link'
  | 'sign-in-state'
  | 'cli-sign-in'
  | 'setup-token'
  | 'stream-cursor'
  | 'event-dedup'
  | 'approval-arguments'
  | 'account-name'
  | 'fingerprint'
  | 'signing-key'
  | 'trail-subject-key'
  | 'trail-mac'
  | 'trail-log-key'
  | 'setting'
  | 'factor-secret'
  | 'backup-code'
  | 'trusted-device'
  | 'csrf-token'

export { randomInt }

export function randomToken(bytes = 32): string {
  return randomBytes(bytes).toString('base64url')
}

export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

/** The first 128 bits of a SHA-256 in the form of a UUID, which a column holds in 16 bytes. */
export function sha256Uuid(text: string): string {
  const hex = hash('sha256', text, 'hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`
}

export function equalInConstantTime(one: string, other: string): boolean {
  const a = createHash('sha256').update(one).digest()
  const b = createHash('sha256').update(other).digest()
  return timingSafeEqual(a, b)
}

/** The secrets of one kind: the first is used for what is made now, the others still open what was made with them. */
export type Keyring = {
  /** Short public name of the current secret; stored beside everything made with it. */
  readonly keyId: string
  /** Of every listed secret, current first. */
  readonly keyIds: readonly string[]
  readonly fingerprint: string
  /** Of every listed secret. */
  readonly fingerprints: readonly string[]
  /** HMAC-SHA-256 under the current secret: `<key id>:<hex>`. */
  readonly digest: (purpose: Purpose, data: string | Uint8Array) => string
  /** The digest under every listed secret, current first, to look up what may have been stored under an older one. */
  readonly digests: (purpose: Purpose, data: string | Uint8Array) => readonly string[]
  /** Bare HMAC-SHA-256 of scope and data in hexadecimal, for many texts in a row: one function a secret, current first. */
  readonly macs: (purpose: Purpose) => readonly ((scope: string, data: string) => string)[]
  /** AES-256-GCM under a derived key: `<key id>:<base64 of nonce, ciphertext, tag>`, bound to `row`. */
  readonly seal: (purpose: Purpose, row: string, data: Uint8Array) => string
  readonly unseal: (purpose: Purpose, row: string, box: string) => Buffer
  /** A key of 32 bytes for a library that must hold one itself. */
  readonly derive: (purpose: Purpose) => Buffer
}

const blockBytes = 64

/**
 * HMAC-SHA-256 (RFC 2104) in hexadecimal, for a key used many thousand times a second: two digests in one call each,
 * an eighth of what making an object for every text costs. The key must have at most 64 bytes.
 */
export function hmacSha256(key: Uint8Array): (text: string) => string {
  if (key.length > blockBytes) throw new Error('Longer keys would have to be digested first')
  const outer = Buffer.alloc(blockBytes + 32, 0x5c)
  let inner = Buffer.alloc(8_192, 0x36)
  for (const [at, byte] of key.entries()) {
    inner[at] = 0x36 ^ byte
    outer[at] = 0x5c ^ byte
  }
  const pad = Buffer.from(inner.subarray(0, blockBytes))
  return (text) => {
    // No unit of UTF-16 takes more than three bytes.
    const bytesMax = blockBytes + text.length * 3
    if (bytesMax > inner.length) {
      inner = Buffer.allocUnsafe(Math.min(bytesMax * 2, bytesMax + 1_048_576))
      pad.copy(inner)
    }
    const end = blockBytes + inner.write(text, blockBytes)
    outer.write(hash('sha256', inner.subarray(0, end), 'hex'), blockBytes, 'hex')
    const mac = hash('sha256', outer, 'hex')
    // One huge text must not keep its room for ever.
    if (inner.length > 1_048_576) inner = Buffer.concat([pad, Buffer.alloc(8_192)])
    return mac
  }
}

export class CannotUnseal extends Error {}

/** Builds a keyring from secrets of at least 32 characters, the current one first. */
export function makeKeyring(secrets: readonly [string, ...string[]]): Keyring {
  const keys = secrets.map((secret) => {
    const bytes = Buffer.from(secret, 'utf8')
    const derived = new Map<Purpose, Buffer>()
    const derive = (purpose: Purpose): Buffer => {
      const known = derived.get(purpose)
      if (known) return known
      const made = Buffer.from(hkdfSync('sha256', bytes, 'countersign', `countersign/${purpose}/v1`, 32))
      derived.set(purpose, made)
      return made
    }
    const fingerprint = createHmac('sha256', derive('fingerprint')).update('fingerprint').digest('hex')
    return { id: fingerprint.slice(0, 8), fingerprint, derive }
  })
  const [current] = keys
  if (!current) throw new Error('A keyring needs a secret')

  const digestWith = (key: typeof current, purpose: Purpose, data: string | Uint8Array): string =>
    `${key.id}:${createHmac('sha256', key.derive(purpose)).update(data).digest('hex')}`

  return {
    keyId: current.id,
    keyIds: keys.map((key) => key.id),
    fingerprint: current.fingerprint,
    fingerprints: keys.map((key) => key.fingerprint),
    digest: (purpose, data) => digestWith(current, purpose, data),
    digests: (purpose, data) => keys.map((key) => digestWith(key, purpose, data)),
    macs: (purpose) =>
      keys.map((key) => {
        const mac = hmacSha256(key.derive(purpose))
        return (scope: string, data: string) => mac(scope + data)
      }),
    derive: (purpose) => current.derive(purpose),
    seal: (purpose, row, data) => {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', current.derive(purpose), nonce)
      cipher.setAAD(Buffer.from(`${purpose}\n${row}`))
      const box = Buffer.concat([nonce, cipher.update(data), cipher.final(), cipher.getAuthTag()])
      return `${current.id}:${box.toString('base64')}`
    },
    unseal: (purpose, row, text) => {
      const [id, encoded = ''] = text.split(':', 2)
      const key = keys.find((one) => one.id === id)
      if (!key) throw new CannotUnseal(`Sealed with the key ${id ?? ''}, which this server was not given`)
      const box = Buffer.from(encoded, 'base64')
      try {
        const decipher = createDecipheriv('aes-256-gcm', key.derive(purpose), box.subarray(0, 12))
        decipher.setAAD(Buffer.from(`${purpose}\n${row}`))
        decipher.setAuthTag(box.subarray(-16))
        return Buffer.concat([decipher.update(box.subarray(12, -16)), decipher.final()])
      } catch (cause) {
        throw new CannotUnseal('The sealed value was changed or belongs to another row', { cause })
      }
    },
  }
}

const argon2Async = promisify(argon2)
// OWASP's second recommendation for argon2id: 19 MiB, two passes, one lane.
const cost = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const

/** A password as stored: the PHC string `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. */
export async function hashPassword(password: string): Promise<string> {
  const nonce = randomBytes(16)
  const hash = await argon2Async('argon2id', { ...cost, message: Buffer.from(password), nonce })
  const text = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${text(nonce)}$${text(hash)}`
}

const phc = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/

/** Takes the same time whether the account exists or not: give it `unusablePassword` when there is none. */
export async function passwordMatches(password: string, stored: string): Promise<boolean> {
  const parts = phc.exec(stored)
  if (!parts) return false
  const [, memory = '', passes = '', parallelism = '', nonce = '', hash = ''] = parts
  const wanted = Buffer.from(hash, 'base64')
  const found = await argon2Async('argon2id', {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    tagLength: wanted.length,
    message: Buffer.from(password),
    nonce: Buffer.from(nonce, 'base64'),
  })
  return timingSafeEqual(found, wanted)
}

/** The hash of a password nobody has. */
export const unusablePassword = `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${'A'.repeat(22)}$${'A'.repeat(43)}`

/** RFC 8032: a seed of 32 bytes is the whole private key. */
export type SigningKeyPair = { readonly seed: Buffer; readonly publicKey: Buffer }

// RFC 8410: what stands before the 32 bytes in DER.
const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex')

export function makeSigningKeyPair(): SigningKeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    seed: privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-32),
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(-32),
  }
}

export function publicKeyOf(seed: Uint8Array): Buffer {
  const key = createPrivateKey({ key: Buffer.concat([privatePrefix, seed]), format: 'der', type: 'pkcs8' })
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
}

export function signBytes(seed: Uint8Array, bytes: Uint8Array): Buffer {
  const key = createPrivateKey({ key: Buffer.concat([privatePrefix, seed]), format: 'der', type: 'pkcs8' })
  return sign(null, bytes, key)
}

export function signatureMatches(publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
  const key = createPublicKey({ key: Buffer.concat([publicPrefix, publicKey]), format: 'der', type: 'spki' })
  return verify(null, bytes, key, signature)
}

/** Text that must not be seen: logs, JSON, templates and inspect print `[secret]`. */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The text itself, for the one place that must send or use it. */
  reveal(): string {
    return this.#text
  }

  matches(other: string): boolean {
    return equalInConstantTime(this.#text, other)
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]'
  }
}
