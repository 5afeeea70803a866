import { Button } from '@mantine/core'
import { type ErrorComponentProps, useRouter } from '@tanstack/react-router'
import { ApiProblem, wordsFor } from '../api/problem.ts'
import classes from './frame.module.css'

/** A page that could not be drawn: what happened, and the two ways on. */
export function ErrorPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter()
  const requestId = error instanceof ApiProblem ? error.requestId : null
  return (
    <div className={classes.whole} role="alert">
      <h1>{error instanceof ApiProblem ? error.title : 'This page failed'}</h1>
      <p>{wordsFor(error)}</p>
      {requestId && (
        <p>
          Request <code>{requestId}</code>
        </p>
      )}
      <div className={classes.wholeActions}>
        <Button
          onClick={() => {
            reset()
            void router.invalidate()
          }}
        >
          Try again
        </Button>
        <Button variant="default" onClick={() => window.location.reload()}>
          Reload the page
        </Button>
      </div>
    </div>
  )
}
