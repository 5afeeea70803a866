import type { Job } from '@countersign/wire'
import { Button, Progress } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { useCan } from '../../api/session.ts'
import { CopyButton } from '../../ui/copy-button.tsx'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { Fact, Facts } from '../../ui/facts.tsx'
import { Instant } from '../../ui/instant.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { Notice } from '../../ui/notice.tsx'
import { counted } from '../../ui/numbers.ts'
import { PageLink } from '../../ui/page-link.tsx'
import { PrincipalChip } from '../../ui/principal-chip.tsx'
import { SideDrawer } from '../../ui/side-drawer.tsx'
import { tell } from '../../ui/tell.tsx'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'
import classes from './jobs.module.css'
import { jobQuery } from './queries.ts'
import { kindWords, markOf, nameOf } from './words.ts'

type Props = { readonly id: string; readonly onClose: () => void }

export function JobDrawer({ id, onClose }: Props) {
  const { data, error, isError, refetch } = useQuery(jobQuery(id))
  return (
    <SideDrawer isOpen onClose={onClose} title={data ? `${kindWords[data.kind]}: ${nameOf(data)}` : 'Job'} width={520}>
      {isError && !data && <Failed what="The job could not be read" error={error} onRetry={() => void refetch()} />}
      {!data && !isError && <Loading rows={5} />}
      {data && <Body job={data} />}
    </SideDrawer>
  )
}

function Body({ job }: { readonly job: Job }) {
  const { id, kind, ruleset, progress, failure, attempts, environment } = job
  return (
    <div className={classes.form}>
      {progress !== null && job.ended_at === null && (
        <Progress value={progress * 100} size={6} aria-label="How far it is" />
      )}
      {failure !== null && (
        <Notice tone="bad" title="It failed">
          {failure}
        </Notice>
      )}
      <Facts>
        <Fact name="Status">
          <VerdictBadge {...markOf(job)} />
        </Fact>
        <Fact name="Environment">{environment === null ? 'all' : <EnvironmentTag name={environment} />}</Fact>
        <Fact name="Ordered">
          <Instant at={job.made_at} form="exact" /> by <PrincipalChip who={job.made_by} />
        </Fact>
        {job.started_at && (
          <Fact name="Begun">
            <Instant at={job.started_at} form="exact" />
            {kind === 'replay' && attempts > 1 && `, ${counted(attempts, 'time')}`}
          </Fact>
        )}
        {job.ended_at && (
          <Fact name="Ended">
            <Instant at={job.ended_at} form="exact" />
          </Fact>
        )}
        <Fact name="Id">
          <code>{id}</code>
          <CopyButton text={id} what="the id" />
        </Fact>
        <Fact name="Page">
          {kind === 'replay' ? (
            <PageLink to="/rehearse" search={{ tab: 'replays', replay: id }}>
              What it found
            </PageLink>
          ) : (
            <PageLink to={`/rulesets/${ruleset}`} search={{ tab: 'rollouts' }}>
              Rollouts of {ruleset}
            </PageLink>
          )}
        </Fact>
      </Facts>
      <Acts job={job} />
    </div>
  )
}

function Acts({ job: { id, kind, can_cancel, can_retry } }: { readonly job: Job }) {
  const client = useQueryClient()
  const mayAct = useCan('jobs:write')
  const act = useMutation({
    mutationFn: (what: 'retry' | 'cancellation') => api.post<Job>(`/jobs/${encodeURIComponent(id)}/${what}`),
    onSuccess: (_job, what) => {
      if (what === 'retry') tell('It was put back into the queue', 'It begins from the start.')
      else tell('It was told to end', kind === 'trial' ? 'What is live stays live and observes.' : 'It ends at once.')
    },
    onSettled: () =>
      client.invalidateQueries({
        predicate: ({ queryKey }) => ['jobs', 'replays', 'trials'].includes(String(queryKey[0])),
      }),
  })
  if (!mayAct || !(can_cancel || can_retry)) return null
  return (
    <>
      {act.isError && <Notice tone="bad">{wordsFor(act.error)}</Notice>}
      <div className={classes.acts}>
        {can_retry && (
          <Button loading={act.isPending} onClick={() => act.mutate('retry')}>
            Begin it again
          </Button>
        )}
        {can_cancel && (
          <Button variant="default" loading={act.isPending} onClick={() => act.mutate('cancellation')}>
            Cancel it
          </Button>
        )}
      </div>
    </>
  )
}
