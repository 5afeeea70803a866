/** What anchoring needs of a store, and no more: nothing in it deletes. */
export type ObjectStore = {
  /** Throws unless the bucket is there, may be used, and has Object Lock. */
  readonly requireLock: () => Promise<void>
  /** Writes under a lock that nobody can lift before that time. Answers `exists` when the store says so. */
  readonly put: (key: string, bytes: Uint8Array, lockedUntil: Date, mediaType: string) => Promise<'written' | 'exists'>
  /** The newest version, or nothing. */
  readonly get: (key: string, bytesMax: number) => Promise<StoredObject | undefined>
  /** Up to `limit` keys after one of them, in order of their bytes. */
  readonly list: (prefix: string, after: string, limit: number) => Promise<readonly string[]>
  /** Every version of every object below a prefix, in no particular order. */
  readonly versions: (prefix: string) => AsyncIterable<ObjectVersion>
  readonly getVersion: (key: string, versionId: string, bytesMax: number) => Promise<StoredObject>
  readonly close: () => void
}

/** `lockedUntil` is undefined when the object can be deleted. */
export type StoredObject = { readonly bytes: Uint8Array; readonly lockedUntil: Date | undefined }

export type ObjectVersion = {
  readonly key: string
  readonly versionId: string
  /** A delete marker: hides the object and removes nothing. */
  readonly isMarker: boolean
  readonly at: Date
}

/** `away`: comes back by itself. The others need somebody to act. */
export type StoreFaultKind = 'away' | 'no_lock' | 'refused' | 'no_bucket' | 'unexpected'

/** A store that did not do what it was asked; the message says what to do about it and may be shown. */
export class StoreFault extends Error {
  override readonly name = 'StoreFault'
  readonly is: StoreFaultKind

  constructor(is: StoreFaultKind, message: string, cause?: unknown) {
    super(message, { cause })
    this.is = is
  }
}
