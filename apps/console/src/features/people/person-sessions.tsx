import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { useCan } from '../../api/session.ts'
import { Instant } from '../../ui/instant.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { tell, tellFailure } from '../../ui/tell.tsx'
import { deviceWords } from '../account/device.ts'
import classes from './people.module.css'
import { pathOf, personSessionsQuery } from './queries.ts'
import type { Person } from './types.ts'

/** Where they are signed in; ending one acts on its next request, on every replica within a second. */
export function PersonSessions({ person: { id, email } }: { readonly person: Person }) {
  const { data, error, isError, refetch } = useQuery(personSessionsQuery(id))
  const client = useQueryClient()
  const mayWrite = useCan('people:write')
  const end = useMutation({
    mutationFn: (session: string | null) =>
      api.delete(session === null ? `${pathOf(id)}/sessions` : `${pathOf(id)}/sessions/${session}`),
    onSuccess: (_answer, session) =>
      tell(session === null ? `${email} was signed out everywhere` : 'That session was ended'),
    onError: (failure) => tellFailure('The session was not ended', wordsFor(failure)),
    onSettled: () => client.invalidateQueries({ queryKey: ['people'] }),
  })
  return (
    <section className={classes.section} aria-label="Sessions">
      <div className={classes.head}>
        <h2>Sessions</h2>
        {mayWrite && data && data.items.length > 0 && (
          <Button variant="default" loading={end.isPending} onClick={() => end.mutate(null)}>
            Sign out everywhere
          </Button>
        )}
      </div>
      {isError && !data && (
        <Failed what="The sessions could not be read" error={error} onRetry={() => void refetch()} />
      )}
      {!data && !isError && <Loading rows={2} />}
      {data?.items.length === 0 && <p className={classes.quiet}>Not signed in anywhere.</p>}
      {data?.items.map((session) => (
        <div key={session.id} className={classes.row}>
          <div className={classes.words}>
            <h3 title={session.user_agent}>
              {session.device ?? deviceWords(session.user_agent)}
              {session.is_current && ' (this one)'}
            </h3>
            <p>
              {session.channel === 'cli' ? 'command line, ' : ''}
              {session.address} · by {session.credential} · last used <Instant at={session.last_seen_at} />
            </p>
          </div>
          {mayWrite && !session.is_current && (
            <Button variant="default" disabled={end.isPending} onClick={() => end.mutate(session.id)}>
              End
            </Button>
          )}
        </div>
      ))}
    </section>
  )
}
