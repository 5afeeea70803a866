import { hexOf, isStubSignedBy, type NoteVerifier, type SignedStub, treeRoot } from '@countersign/trail'
import type { ReadArchive } from './read-archives.ts'
import type { OtherFault, RemovedReport } from './report.ts'

/** Follows the leaves of removed spans, and holds archives against them. */
export type RemovedCheck = {
  /** A stub whose span comes next. */
  readonly expect: (stub: SignedStub) => void
  /** Whether leaves are wanted at this moment. */
  readonly isOpen: () => boolean
  readonly leaf: (number: number, hash: Uint8Array) => void
  readonly finish: () => { readonly faults: readonly OtherFault[]; readonly removed: readonly RemovedReport[] }
}

type Open = { readonly stub: SignedStub; readonly leaves: Uint8Array[]; next: number }

export function checkRemoved(key: NoteVerifier | undefined, archives: readonly ReadArchive[]): RemovedCheck {
  const faults: OtherFault[] = []
  const removed: RemovedReport[] = []
  const used = new Set<ReadArchive>()
  let open: Open | undefined
  const blame = (number: number | null, says: string): void => {
    faults.push({ is: 'stub_differs', number, says })
  }

  const settle = ({ stub, leaves, next }: Open): void => {
    const archive = archives.find((one) => one.sha256 === stub.archive_sha256)
    if (archive) used.add(archive)
    const isWhole = next === stub.last + 1
    const isSame =
      archive !== undefined && isWhole && hexOf(treeRoot(leaves)) === archive.root && archive.faults.length === 0
    if (archive && isWhole && !isSame) {
      blame(stub.first, `${archive.path} does not hold the entries ${stub.first} to ${stub.last} as the log has them.`)
    }
    const { first, last, removed_at, archive_key, archive_sha256 } = stub
    removed.push({ first, last, removed_at, archive_key, archive_sha256, is_restored: isSame })
  }

  const close = (): void => {
    if (open) settle(open)
    open = undefined
  }

  return {
    expect: (stub) => {
      close()
      if (key && !isStubSignedBy(stub, key)) {
        blame(
          stub.first,
          `The stub of the entries ${stub.first} to ${stub.last} does not bear the signature of ${key.name}: it was changed or forged.`,
        )
      }
      open = { stub, leaves: [], next: stub.first }
    },
    isOpen: () => open !== undefined,
    leaf: (number, hash) => {
      if (!open) return
      if (number > open.stub.last) return close()
      if (number !== open.next) return
      open.leaves.push(hash)
      open.next = number + 1
      if (number === open.stub.last) close()
    },
    finish: () => {
      close()
      for (const archive of archives) {
        for (const says of archive.faults) blame(archive.first, `${archive.path}: ${says}`)
        if (!used.has(archive)) {
          blame(
            archive.first,
            `No stub names ${archive.path} (SHA-256 ${archive.sha256}): it was changed, or it is of another log.`,
          )
        }
      }
      return { faults, removed }
    },
  }
}
