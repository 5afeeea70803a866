import type { ReplayDetail } from '@countersign/wire'
import { Button, Progress } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { useCan } from '../../api/session.ts'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { Fact, Facts } from '../../ui/facts.tsx'
import { Instant } from '../../ui/instant.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { Notice } from '../../ui/notice.tsx'
import { countWords } from '../../ui/numbers.ts'
import { PageLink } from '../../ui/page-link.tsx'
import { PrincipalChip } from '../../ui/principal-chip.tsx'
import { tellFailure } from '../../ui/tell.tsx'
import ui from '../../ui/ui.module.css'
import whole from '../../ui/whole.module.css'
import classes from './rehearse.module.css'
import { isOpen, replayQuery } from './replay-queries.ts'
import { ReplayResultView } from './replay-result.tsx'
import { nameOf, percentOf, stateWords } from './replay-words.ts'

type Props = { readonly id: string; readonly onClose: () => void }

/** One replay: how far it is while it goes, then what would change. */
export function ReplayView({ id, onClose }: Props) {
  const { data, error, isError, refetch } = useQuery(replayQuery(id))
  return (
    <>
      <div className={whole.bar}>
        <h2 className={classes.name}>{data ? `Replay of ${nameOf(data)}` : 'Replay'}</h2>
        <span className={classes.grow} />
        {data && data.version !== null && data.status === 'done' && (
          <PageLink to={`/rulesets/${data.ruleset}`} search={{ tab: 'rollouts' }}>
            Rollouts of {data.ruleset}
          </PageLink>
        )}
        <Button variant="default" onClick={onClose}>
          All replays
        </Button>
      </div>
      {isError && !data && <Failed what="The replay could not be read" error={error} onRetry={() => void refetch()} />}
      {!data && !isError && <Loading rows={5} />}
      {data && (
        <div className={classes.report}>
          <About replay={data} />
          {isOpen(data) && <Going replay={data} />}
          {data.status === 'failed' && (
            <Notice tone="bad" title="The replay failed">
              {data.failure ?? 'The server does not say why; its log does.'}
            </Notice>
          )}
          {data.status === 'cancelled' && (
            <Notice tone="plain">
              It was cancelled after {countWords(data.progress.rows_read)} calls; a part of a replay shows nothing.
            </Notice>
          )}
          {data.result && <ReplayResultView replay={data} result={data.result} />}
        </div>
      )}
    </>
  )
}

function About({ replay }: { readonly replay: ReplayDetail }) {
  const { baseline, since, until, environment, agents, tools, made_by, made_at } = replay
  return (
    <Facts>
      <Fact name="Calls">
        <span>
          from <Instant at={since} form="exact" /> to <Instant at={until} form="exact" />
        </span>
      </Fact>
      <Fact name="Of">
        {environment === null ? 'all environments' : <EnvironmentTag name={environment} />}
        <span className={ui.quiet}>
          {agents.length === 0 ? 'all agents' : agents.join(', ')},{' '}
          {tools.length === 0 ? 'all tools' : tools.join(', ')}
        </span>
      </Fact>
      <Fact name="Compared">
        with {baseline === null ? 'what was recorded' : `${baseline.ruleset} v${baseline.version}`}
      </Fact>
      <Fact name="By">
        <PrincipalChip who={made_by} /> <Instant at={made_at} />
      </Fact>
    </Facts>
  )
}

function Going({ replay }: { readonly replay: ReplayDetail }) {
  const client = useQueryClient()
  const mayCancel = useCan('replays:write')
  const cancel = useMutation({
    mutationFn: () => api.post(`/replays/${encodeURIComponent(replay.id)}/cancellation`),
    onError: (error) => tellFailure('The replay goes on', wordsFor(error)),
    onSettled: () => client.invalidateQueries({ queryKey: ['replays'] }),
  })
  const percent = percentOf(replay)
  return (
    <div className={classes.going}>
      <Progress value={percent} aria-label="How far the replay is" size={6} />
      <div className={classes.line}>
        <span role="status">
          {stateWords(replay)}
          {replay.progress.distinct_calls > 0 && `, ${countWords(replay.progress.distinct_calls)} different`}
        </span>
        <span className={classes.grow} />
        {mayCancel && (
          <Button variant="default" loading={cancel.isPending || replay.is_cancelling} onClick={() => cancel.mutate()}>
            Cancel
          </Button>
        )}
      </div>
    </div>
  )
}
