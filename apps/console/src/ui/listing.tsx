import type { ReactNode } from 'react'
import { Failed, Loading, PartialNote } from './list-states.tsx'

/** What every query tells of itself, whether it reads one page or many. */
type Read = {
  readonly isPending: boolean
  readonly isError: boolean
  readonly isSuccess: boolean
  readonly error: unknown
  readonly refetch: () => unknown
}

type Props = {
  readonly list: Read
  readonly hasRows: boolean
  /** Who failed when it fails: `The rules`. */
  readonly what: string
  /** Instead of the table where there is nothing to put into it. */
  readonly empty: ReactNode
  readonly skeletonRows?: number
  readonly children: ReactNode
}

/** A list in whichever of its states it is: coming, failed, stale, empty, there. */
export function Listing({ list, hasRows, what, empty, skeletonRows = 8, children }: Props) {
  const retry = (): void => void list.refetch()
  if (list.isPending) return <Loading rows={skeletonRows} />
  if (list.isError && !hasRows) return <Failed what={`${what} could not be read`} error={list.error} onRetry={retry} />
  if (list.isSuccess && !hasRows) return empty
  return (
    <>
      {list.isError && <PartialNote onRetry={retry}>The list could not be refreshed.</PartialNote>}
      {children}
    </>
  )
}
