import { Button, Skeleton } from '@mantine/core'
import { type ReactNode, useEffect, useState } from 'react'
import { ApiProblem, isAbsent, wordsFor } from '../api/problem.ts'
import { CopyButton } from './copy-button.tsx'
import { FailIcon } from './icons.tsx'
import classes from './states.module.css'

/** Rows in grey, and only after 200 ms: what comes at once should not flash. */
export function Loading({ rows = 8, rowHeight = 36 }: { readonly rows?: number; readonly rowHeight?: number }) {
  const [isLate, setLate] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 200)
    return () => clearTimeout(timer)
  }, [])
  return (
    <div className={classes.loading} role="status" aria-label="Loading">
      {isLate &&
        Array.from({ length: rows }, (_, row) => (
          <div key={row} className={classes.loadingRow} style={{ height: rowHeight }}>
            <Skeleton height={10} width={`${18 + ((row * 7) % 12)}%`} />
            <Skeleton height={10} width={`${34 + ((row * 13) % 22)}%`} />
            <Skeleton height={10} width="10%" />
          </div>
        ))}
    </div>
  )
}

type FailedProps = {
  /** What failed, as in `The approvals could not be read`. */
  readonly what: string
  readonly error: unknown
  readonly onRetry: () => void
}

export function Failed({ what, error, onRetry }: FailedProps) {
  if (isAbsent(error)) return <Absent />
  const requestId = error instanceof ApiProblem ? error.requestId : null
  return (
    <div className={classes.state} role="alert">
      <FailIcon size={20} className={classes.failIcon} />
      <h2>{what}</h2>
      <p>{wordsFor(error)}</p>
      {requestId && (
        <p className={classes.request}>
          Request <code>{requestId}</code> <CopyButton text={requestId} what="the request id" />
        </p>
      )}
      <Button variant="default" onClick={onRetry}>
        Try again
      </Button>
    </div>
  )
}

function Absent() {
  return (
    <div className={classes.state} role="alert">
      <FailIcon size={20} className={classes.failIcon} />
      <h2>There is no such thing here</h2>
      <p>The address was cut short or mistyped, what it named was removed, or you may not see it.</p>
    </div>
  )
}

type EmptyProps = {
  readonly title: string
  /** One sentence: what would be here and how to make it so. */
  readonly children: ReactNode
  readonly action?: ReactNode
  readonly command?: string
}

export function EmptyState({ title, children, action, command }: EmptyProps) {
  return (
    <div className={classes.state}>
      <h2>{title}</h2>
      <p>{children}</p>
      {action}
      {command && (
        <div className={classes.command}>
          <code>{command}</code>
          <CopyButton text={command} what="the command" />
        </div>
      )}
    </div>
  )
}

type FilteredProps = { readonly what: string; readonly onClear: () => void }

export function FilteredToNothing({ what, onClear }: FilteredProps) {
  return (
    <div className={classes.state}>
      <h2>No {what} match these filters</h2>
      <p>There may be some outside of them.</p>
      <Button variant="default" onClick={onClear}>
        Clear the filters
      </Button>
    </div>
  )
}

type PartialProps = { readonly children: ReactNode; readonly onRetry?: () => void }

/** Above a list that shows less than there is, and says so. */
export function PartialNote({ children, onRetry }: PartialProps) {
  return (
    <div className={classes.partial} role="status">
      <FailIcon size={14} />
      <span>{children}</span>
      {onRetry && (
        <button type="button" className={classes.link} onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  )
}
