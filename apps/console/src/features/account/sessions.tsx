import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import type { SessionRow } from '../../api/types.ts'
import groups from '../../ui/groups.module.css'
import { Instant } from '../../ui/instant.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { tell, tellFailure } from '../../ui/tell.tsx'
import classes from './account.module.css'
import { deviceWords } from './device.ts'
import { sessionsQuery } from './queries.ts'

export function Sessions() {
  const { data, error, isError, refetch } = useQuery(sessionsQuery)
  const client = useQueryClient()
  const end = useMutation({
    mutationFn: (id: string | null) => api.delete(id === null ? '/sessions' : `/sessions/${id}`),
    onSuccess: (_answer, id) => tell(id === null ? 'Signed out everywhere else' : 'That session was ended'),
    onError: (failure) => tellFailure('The session was not ended', wordsFor(failure)),
    onSettled: () => client.invalidateQueries({ queryKey: ['sessions'] }),
  })
  if (isError && !data)
    return <Failed what="Your sessions could not be read" error={error} onRetry={() => void refetch()} />
  if (!data) return <Loading rows={3} rowHeight={56} />
  return (
    <section className={groups.group} aria-label="Your sessions">
      <div className={groups.headLine}>
        <h2>Where you are signed in</h2>
        {data.items.length > 1 && (
          <Button variant="default" loading={end.isPending} onClick={() => end.mutate(null)}>
            Sign out everywhere else
          </Button>
        )}
      </div>
      {data.items.map((row) => (
        <Row key={row.id} row={row} isBusy={end.isPending} onEnd={() => end.mutate(row.id)} />
      ))}
    </section>
  )
}

type RowProps = { readonly row: SessionRow; readonly isBusy: boolean; readonly onEnd: () => void }

function Row({ row, isBusy, onEnd }: RowProps) {
  return (
    <div className={classes.row}>
      <div className={classes.words}>
        <h3 title={row.user_agent}>
          {deviceWords(row.user_agent)}
          {row.is_current && <span className={classes.here}>this one</span>}
        </h3>
        <p>
          {row.address} · last used <Instant at={row.last_seen_at} /> · ends at the latest{' '}
          <Instant at={row.expires_at} />
        </p>
      </div>
      {!row.is_current && (
        <Button variant="default" disabled={isBusy} onClick={onEnd}>
          End
        </Button>
      )}
    </div>
  )
}
