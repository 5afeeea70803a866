/** What stands for entries that were removed after their time: which, by whom, where they are, what proves them. */
export type Stub = {
  readonly version: 1
  readonly first: number
  readonly last: number
  readonly count: number
  readonly oldest_at: string
  readonly newest_at: string
  /** By which policy: entries are kept at least for so many days. */
  readonly retention_days: number
  readonly removed_at: string
  readonly removed_by: { readonly kind: string; readonly id: string }
  readonly bucket: string
  readonly archive_key: string
  /** Of the object as it lies there, hexadecimal. */
  readonly archive_sha256: string
  readonly archive_bytes: number
  readonly archive_locked_until: string
  /** The anchored checkpoint that covers the span: over how many entries, with which root, and where. */
  readonly size: number
  readonly root: string
  readonly anchor_key: string
}

export type SignedStub = Stub & {
  /** A signed note over the digest of everything else, by the key of the log. */
  readonly signature: string
}

/** Thrown for what is no stub; the message says why. */
export class NotAStub extends Error {
  override readonly name = 'NotAStub'
}

const digestForm = /^[0-9a-f]{64}$/
const instantForm = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0
const isText = (value: unknown): boolean => typeof value === 'string' && value !== '' && value.length <= 2000
const isDigest = (value: unknown): boolean => typeof value === 'string' && digestForm.test(value)
const isInstant = (value: unknown): boolean => typeof value === 'string' && instantForm.test(value)

const members: { readonly [Name in keyof SignedStub]: (value: unknown) => boolean } = {
  version: (value) => value === 1,
  first: isCount,
  last: isCount,
  count: isCount,
  oldest_at: isInstant,
  newest_at: isInstant,
  retention_days: isCount,
  removed_at: isInstant,
  removed_by: (value) =>
    isRecord(value) && isText(value['kind']) && isText(value['id']) && Object.keys(value).length === 2,
  bucket: isText,
  archive_key: isText,
  archive_sha256: isDigest,
  archive_bytes: isCount,
  archive_locked_until: isInstant,
  size: isCount,
  root: isDigest,
  anchor_key: isText,
  signature: isText,
}

/** A stub as it was read from JSON. Its signature is checked apart. */
export function readStub(value: unknown): SignedStub {
  if (!isRecord(value)) throw new NotAStub('It is not an object.')
  for (const [name, isGood] of Object.entries(members)) {
    if (!isGood(value[name])) throw new NotAStub(`Its ${name} is not what a stub has there.`)
  }
  const odd = Object.keys(value).find((name) => !Object.hasOwn(members, name))
  if (odd !== undefined) throw new NotAStub(`It has a member ${JSON.stringify(odd.slice(0, 50))}, which no stub has.`)
  // Every member has just been looked at.
  const stub = value as SignedStub
  if (stub.last < stub.first || stub.count !== stub.last - stub.first + 1 || stub.size <= stub.last) {
    throw new NotAStub('Its numbers contradict each other.')
  }
  return stub
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Where the archive of a span lies: after every anchor of the chain in the order of names. */
export function archiveKey(chainId: string, first: number, last: number): string {
  const digits = (number: number): string => String(number).padStart(16, '0')
  return `${chainId}/archive/${digits(first)}-${digits(last)}.jsonl.gz`
}

const keyForm = /^([^/]+)\/archive\/(\d{16})-(\d{16})\.jsonl\.gz$/

export function isArchiveKey(chainId: string, key: string): boolean {
  const [, chain, first = '', last = ''] = keyForm.exec(key) ?? []
  return chain === chainId && Number(first) < Number(last)
}
