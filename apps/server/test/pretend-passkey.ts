import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

/** A passkey in software: Ed25519, its user always verified. Every part of what it signs can be bent. */
export type PretendPasskey = ReturnType<typeof pretendPasskey>

type Options = {
  readonly challenge: string
  readonly rp?: { readonly id: string } | undefined
  readonly rpId?: string
  readonly user?: { readonly id: string }
}
type Bend = {
  readonly origin?: string
  readonly rpId?: string
  readonly challenge?: string
  readonly counter?: number
  readonly type?: string
  /** UP 1, UV 4. */
  readonly flags?: number
  readonly userHandle?: string | undefined
}

export function pretendPasskey(origin = 'http://localhost:8000') {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const id = randomBytes(16)
  let counter = 0
  let userHandle: string | undefined

  const clientData = (type: string, challenge: string, bend: Bend): Buffer =>
    Buffer.from(
      JSON.stringify({
        type: bend.type ?? type,
        challenge: bend.challenge ?? challenge,
        origin: bend.origin ?? origin,
        crossOrigin: false,
      }),
    )
  const authData = (rpId: string, flags: number, count: number, rest = Buffer.alloc(0)): Buffer => {
    const counted = Buffer.alloc(4)
    counted.writeUInt32BE(count)
    return Buffer.concat([sha256(Buffer.from(rpId)), Buffer.from([flags]), counted, rest])
  }

  const x = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  const cose = cborMap([
    [1, 1],
    [3, -8],
    [-1, 6],
    [-2, x],
  ])

  return {
    id: id.toString('base64url'),
    publicKey: cose.toString('base64url'),
    create: (options: Record<string, unknown>, bend: Bend = {}) => {
      const { challenge, rp, user } = options as unknown as Options
      userHandle = user?.id
      const length = Buffer.alloc(2)
      length.writeUInt16BE(id.length)
      const attested = Buffer.concat([Buffer.alloc(16), length, id, cose])
      const data = authData(bend.rpId ?? rp?.id ?? '', (bend.flags ?? 5) | 0x40, counter, attested)
      const attestationObject = cborMap([
        ['fmt', 'none'],
        ['attStmt', null],
        ['authData', data],
      ])
      return answer(id, {
        clientDataJSON: clientData('webauthn.create', challenge, bend).toString('base64url'),
        attestationObject: attestationObject.toString('base64url'),
        transports: ['internal'],
      })
    },
    get: (options: Record<string, unknown>, bend: Bend = {}) => {
      const { challenge, rpId = '' } = options as unknown as Options
      counter = bend.counter ?? counter + 1
      const data = authData(bend.rpId ?? rpId, bend.flags ?? 5, counter)
      const client = clientData('webauthn.get', challenge, bend)
      return answer(id, {
        clientDataJSON: client.toString('base64url'),
        authenticatorData: data.toString('base64url'),
        signature: signed(privateKey, Buffer.concat([data, sha256(client)])),
        userHandle: 'userHandle' in bend ? bend.userHandle : userHandle,
      })
    },
  }
}

function answer(id: Buffer, response: Record<string, unknown>): Record<string, unknown> {
  const name = id.toString('base64url')
  return { id: name, rawId: name, type: 'public-key', clientExtensionResults: {}, response }
}

function signed(key: KeyObject, bytes: Buffer): string {
  return sign(null, bytes, key).toString('base64url')
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}

/** Null stands for an empty map. */
type Cbor = number | string | Buffer | null

function cborMap(entries: readonly (readonly [number | string, Cbor])[]): Buffer {
  return Buffer.concat([head(5, entries.length), ...entries.flatMap(([name, value]) => [cbor(name), cbor(value)])])
}

function cbor(value: Cbor): Buffer {
  if (typeof value === 'number') return value >= 0 ? head(0, value) : head(1, -1 - value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value])
  return head(5, 0)
}

function head(major: number, length: number): Buffer {
  if (length < 24) return Buffer.from([(major << 5) | length])
  if (length < 256) return Buffer.from([(major << 5) | 24, length])
  return Buffer.from([(major << 5) | 25, length >> 8, length & 255])
}
