import type { Replay, RolloutPreview } from '@countersign/wire'
import { Button, Progress } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import { wordsFor } from '../../api/problem.ts'
import { serverNow } from '../../api/server-time.ts'
import { useCan } from '../../api/session.ts'
import { Instant } from '../../ui/instant.tsx'
import { PageLink } from '../../ui/page-link.tsx'
import { tellFailure } from '../../ui/tell.tsx'
import { isOpen, newestReplayQuery } from '../rehearse/replay-queries.ts'
import { countsWords, ofCallsWords, percentOf, stateWords } from '../rehearse/replay-words.ts'
import classes from './rollouts.module.css'

const dayMs = 86_400_000

/** As many as a replay can be asked for by name; beyond it, it is the environment's calls that are replayed. */
const agentsMax = 50

type Props = { readonly preview: RolloutPreview }

/** What a rehearsal said about this revision, or the offer of one, before it is rolled out. */
export function LastReplay({ preview: { ruleset, version, environment, agents, agent_count } }: Props) {
  const client = useQueryClient()
  const mayStart = useCan('replays:write')
  const { data: replay } = useQuery(newestReplayQuery(ruleset, version))
  const start = useMutation({
    mutationFn: () =>
      api.post<Replay>('/replays', {
        ruleset,
        version,
        environment,
        ...(agent_count > 0 &&
          agent_count <= Math.min(agentsMax, agents.length) && { agents: agents.map(({ agent_id }) => agent_id) }),
        since: new Date(serverNow() - dayMs).toISOString(),
      }),
    onError: (error) => tellFailure('The replay was not started', wordsFor(error)),
    onSettled: () => client.invalidateQueries({ queryKey: ['replays'] }),
  })
  if (replay === undefined) return null
  const again = mayStart && (
    <Button variant="default" loading={start.isPending} onClick={() => start.mutate()}>
      Replay the last day of {environment}
    </Button>
  )
  return (
    <section aria-label="Rehearsal" className={classes.rehearsal}>
      <h3>Rehearsal</h3>
      {replay === null && <p className={classes.quiet}>This revision was not held against recorded calls yet.</p>}
      {replay && isOpen(replay) && (
        <>
          <Progress value={percentOf(replay)} aria-label="How far the replay is" size={6} />
          <p className={classes.quiet}>{stateWords(replay)}</p>
        </>
      )}
      {replay?.counts && (
        <>
          <p>{countsWords(replay.counts)}.</p>
          <p className={classes.quiet}>
            {ofCallsWords(replay.counts)}, in {replay.environment ?? 'all environments'},{' '}
            <Instant at={replay.made_at} />.
          </p>
        </>
      )}
      {replay && !replay.counts && !isOpen(replay) && (
        <p className={classes.quiet}>The last replay: {stateWords(replay).toLowerCase()}.</p>
      )}
      {replay && (
        <PageLink to="/rehearse" search={{ tab: 'replays', replay: replay.id }}>
          Look at the replay
        </PageLink>
      )}
      {!(replay && isOpen(replay)) && again}
    </section>
  )
}
