import { Button } from '@mantine/core'
import { type ErrorComponentProps, useRouter } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { ApiProblem, wordsFor } from '../api/problem.ts'
import { reloadOnce, useDocumentState } from './document-state.ts'
import classes from './frame.module.css'

/** A page that could not be drawn: what happened, and the two ways on. */
export function ErrorPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter()
  const state = useDocumentState()
  if (state !== 'whole') return <NotLoaded isServerThere={state === 'replaceable'} />
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

/** A page of which a part could not be fetched: opened by itself once there is a server to fetch it from. */
function NotLoaded({ isServerThere }: { readonly isServerThere: boolean }) {
  const [isInVain, setInVain] = useState(false)
  useEffect(() => {
    if (isServerThere) setInVain(!reloadOnce())
  }, [isServerThere])
  return (
    <div className={classes.whole} role="alert">
      <h1>This page could not be loaded</h1>
      <p>
        {isInVain
          ? 'It was loaded anew and a part of it is still missing. Something between you and the server may keep it back.'
          : 'The server does not answer. The page opens as soon as it does.'}
      </p>
      <div className={classes.wholeActions}>
        <Button onClick={() => window.location.reload()}>Reload the page</Button>
      </div>
    </div>
  )
}
