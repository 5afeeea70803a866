import { type AnchorFile, anchorBytesMax, isAnchorKey, isArchiveKey } from '@countersign/trail'
import type { ObjectStore, ObjectVersion } from './object-store.ts'

export type StoredChain = {
  readonly files: readonly AnchorFile[]
  /** What somebody did to objects that cannot be changed: wrote over them, hid them, put others beside them. */
  readonly oddities: readonly string[]
}

/** Every anchor of a chain as it was first written, whatever was put over it later. */
export async function readChain(store: ObjectStore, chainId: string): Promise<StoredChain> {
  const byKey = new Map<string, ObjectVersion[]>()
  for await (const version of store.versions(`${chainId}/`)) {
    byKey.set(version.key, [...(byKey.get(version.key) ?? []), version])
  }
  const files: AnchorFile[] = []
  const oddities: string[] = []
  for (const [key, versions] of [...byKey].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const isArchive = isArchiveKey(chainId, key)
    if (!isArchive && !isAnchorKey(chainId, key)) {
      oddities.push(`${key} lies among the anchors and is not named like one.`)
      continue
    }
    const written = versions.filter(({ isMarker }) => !isMarker).sort((a, b) => a.at.getTime() - b.at.getTime())
    const markers = versions.length - written.length
    if (markers > 0) oddities.push(`${key} was deleted, as far as the lock allowed: a delete marker hides it.`)
    if (written.length > 1)
      oddities.push(`${key} was written over ${written.length - 1} times; the first version is what counts.`)
    const [first] = written
    // What archives hold is checked against their stubs.
    if (first && !isArchive)
      files.push({ key, bytes: (await store.getVersion(key, first.versionId, anchorBytesMax)).bytes })
  }
  return { files, oddities }
}
