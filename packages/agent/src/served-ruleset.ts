import { sha256 } from './crypto.ts'
import { RevisionRefused } from './errors.ts'

/** One signing key's word for another: how agents follow a rotation without trusting the connection. */
export type Endorsement = { readonly publicKey: string; readonly by: string; readonly signature: string }

/** A ruleset as the server hands it out, on the stream or fetched. Nothing of it is believed yet. */
export type ServedRuleset = {
  readonly name: string
  readonly version: number
  readonly hash: string
  readonly bytes: Buffer
  readonly signature: string
  readonly publicKey: string | undefined
  readonly tenantId: string | undefined
  /** When it was rolled out, by the server's clock; undefined when the server does not say. */
  readonly rolledOutAtMs: number | undefined
  readonly endorsements: readonly Endorsement[]
}

const base64 = /^[A-Za-z0-9+/]*={0,2}$/
const base64LengthMax = 699_052

/** Whether there is content in it, or only the name of what to fetch. */
export function hasContent(data: Readonly<Record<string, unknown>>): boolean {
  return typeof data['yaml_bytes'] === 'string'
}

/** Reads what was sent and checks that it is whole; who made it is for `Trust` to say. */
export function readServedRuleset(data: Readonly<Record<string, unknown>>): ServedRuleset {
  const { version, signature, public_key: publicKey, revision_hash: hash, yaml_bytes: text, tenant_id: tenant } = data
  const name = data['name'] ?? data['bundle_name']
  if (typeof name !== 'string' || name === '') throw new RevisionRefused('A ruleset without a name was sent.')
  const refuse = (why: string): never => {
    throw new RevisionRefused(`The ruleset ${name.slice(0, 128)} ${why}.`)
  }
  if (typeof text !== 'string' || text.length > base64LengthMax || !base64.test(text))
    return refuse('has no content that can be read')
  if (typeof signature !== 'string') return refuse('is not signed')
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1) return refuse('has no version')
  const bytes = Buffer.from(text, 'base64')
  const found = sha256(bytes)
  if (hash !== undefined && hash !== found) return refuse('is not what its hash says')
  return {
    name,
    version,
    hash: found,
    bytes,
    signature,
    publicKey: typeof publicKey === 'string' ? publicKey : undefined,
    tenantId: typeof tenant === 'string' ? tenant : undefined,
    rolledOutAtMs: timeOf(data['deployed_at']),
    endorsements: endorsementsIn(data['key_endorsements']),
  }
}

/** The same once more, to be kept. */
export function servedToJson(served: ServedRuleset): Readonly<Record<string, unknown>> {
  const { name, version, hash, bytes, signature, publicKey, tenantId, rolledOutAtMs, endorsements } = served
  return {
    name,
    version,
    revision_hash: hash,
    yaml_bytes: bytes.toString('base64'),
    signature,
    public_key: publicKey,
    tenant_id: tenantId,
    ...(rolledOutAtMs !== undefined && { deployed_at: new Date(rolledOutAtMs).toISOString() }),
    key_endorsements: endorsements.map((one) => ({ public_key: one.publicKey, by: one.by, signature: one.signature })),
  }
}

function timeOf(value: unknown): number | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}

const endorsementsMax = 100

function endorsementsIn(value: unknown): readonly Endorsement[] {
  if (!Array.isArray(value)) return []
  return value.slice(0, endorsementsMax).flatMap((one: unknown) => {
    if (typeof one !== 'object' || one === null) return []
    const { public_key: publicKey, by, signature } = one as Readonly<Record<string, unknown>>
    const isWhole = typeof publicKey === 'string' && typeof by === 'string' && typeof signature === 'string'
    return isWhole ? [{ publicKey, by, signature }] : []
  })
}
