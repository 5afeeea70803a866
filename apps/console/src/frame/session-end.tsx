import { Button, Modal } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { lastUse } from '../api/activity.ts'
import { sessionKey } from '../api/session.ts'
import { remainingWords } from '../ui/instants.ts'
import { useSecond } from '../ui/now.ts'
import classes from './frame.module.css'
import { idleOf } from './idle.ts'

/** Asks in the last minute of an unused session, in every tab; when nobody answers, leaves for the sign-in page. */
export function SessionEnd({ idleSeconds }: { readonly idleSeconds: number }) {
  // Redraws each second; what counts is this machine's clock, against which the last use was noted.
  useSecond()
  const client = useQueryClient()
  const idle = idleOf(lastUse(), idleSeconds, Date.now())
  const hasEnded = idle.is === 'ended'
  const ask = (): void => void client.invalidateQueries({ queryKey: sessionKey })
  useEffect(() => {
    if (hasEnded) void client.invalidateQueries({ queryKey: sessionKey })
  }, [hasEnded, client])
  return (
    <Modal
      opened={idle.is === 'ending'}
      onClose={ask}
      title="Still there?"
      size={420}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <p>
        This session was not used for a while and ends in {idle.is === 'ending' ? remainingWords(idle.leftMs) : '0:00'}.
        Nothing that is being written will be kept.
      </p>
      <div className={classes.sessionEnd}>
        <Button data-autofocus onClick={ask}>
          Stay signed in
        </Button>
      </div>
    </Modal>
  )
}
