import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { api } from '../api/client.ts'
import { sessionKey, useSession } from '../api/session.ts'
import { Instant } from '../ui/instant.tsx'
import { Notice } from '../ui/notice.tsx'
import classes from './frame.module.css'

/** Told once, and until the person has taken note: somebody else removed their factors, which they may not have asked for. */
export function ResetNotice() {
  const client = useQueryClient()
  const { was_reset: reset } = useSession().factors
  const takeNote = useMutation({
    mutationFn: () => api.delete('/mfa/reset-notice'),
    onSettled: () => client.invalidateQueries({ queryKey: sessionKey }),
  })
  if (reset === null) return null
  return (
    <div className={classes.told}>
      <Notice tone="care" title="Your second factors were removed">
        By {reset.by ?? 'somebody at the server’s machine'}, <Instant at={reset.at} form="exact" />. If you did not ask
        for it, tell another administrator now.
        <div className={classes.toldActs}>
          <Button variant="default" size="xs" loading={takeNote.isPending} onClick={() => takeNote.mutate()}>
            I know of it
          </Button>
          <Link to="/account" search={{ add: true }}>
            Add a new one
          </Link>
        </div>
      </Notice>
    </div>
  )
}
