import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { api } from '../api/client.ts'
import { sessionKey, useSession } from '../api/session.ts'
import type { Session } from '../api/types.ts'
import { Instant } from '../ui/instant.tsx'
import { Notice } from '../ui/notice.tsx'
import classes from './frame.module.css'

/** Told to every administrator until they take note: somebody with the server's machine let somebody in. */
export function RecoveryNotices() {
  return useSession().recoveries.map((recovery) => <RecoveryNotice key={recovery.id} recovery={recovery} />)
}

function RecoveryNotice({ recovery }: { readonly recovery: Session['recoveries'][number] }) {
  const client = useQueryClient()
  const takeNote = useMutation({
    mutationFn: () => api.delete(`/recovery-notices/${recovery.id}`),
    onSettled: () => client.invalidateQueries({ queryKey: sessionKey }),
  })
  const { person, stage, at } = recovery
  return (
    <div className={classes.told}>
      <Notice
        tone="care"
        title={
          stage === 'made'
            ? `A recovery link was made for ${person.email}`
            : `${person.email} got in with a recovery link and set a new password`
        }
      >
        {stage === 'made' ? 'By somebody at the server’s machine, ' : 'With the link from the server’s machine, '}
        <Instant at={at} form="exact" />. If none of you asked for it, whoever runs the server should look into it now.
        <div className={classes.toldActs}>
          <Button variant="default" size="xs" loading={takeNote.isPending} onClick={() => takeNote.mutate()}>
            I know of it
          </Button>
          <Link to="/trail" search={{ act: stage === 'made' ? 'person.recovery_link_made' : 'person.recovered' }}>
            Show it in the trail
          </Link>
        </div>
      </Notice>
    </div>
  )
}
