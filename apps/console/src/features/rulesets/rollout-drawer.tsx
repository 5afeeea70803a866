import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useCanIn } from '../../api/session.ts'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { Fact, Facts } from '../../ui/facts.tsx'
import { Instant } from '../../ui/instant.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { PageLink } from '../../ui/page-link.tsx'
import { PrincipalChip } from '../../ui/principal-chip.tsx'
import { RevisionChip } from '../../ui/revision-chip.tsx'
import { SideDrawer } from '../../ui/side-drawer.tsx'
import { RolloutBar, StateMark } from './rollout-bar.tsx'
import { kindWords } from './rollout-history.tsx'
import { isUnderWay, rolloutQuery } from './rollout-queries.ts'
import { stateWords } from './rollout-states.ts'
import classes from './rollouts.module.css'

type Props = {
  readonly id: string
  readonly onClose: () => void
  readonly onReview: (version: number, environment: string) => void
}

/** One rollout as it goes: who, why, and every agent's state while it changes. */
export function RolloutDrawer({ id, onClose, onReview }: Props) {
  const { data, error, isError, refetch } = useQuery(rolloutQuery(id))
  const mayRollOut = useCanIn('rollouts:write', data?.environment ?? '')
  return (
    <SideDrawer isOpen onClose={onClose} title={data ? `v${data.version} to ${data.environment}` : 'Rollout'}>
      {isError && !data && <Failed what="The rollout could not be read" error={error} onRetry={() => void refetch()} />}
      {!data && !isError && <Loading rows={5} />}
      {data && (
        <div className={classes.form}>
          <div className={classes.live} role="status">
            <strong>{sentenceOf(data)}</strong>
            <RolloutBar counts={data.counts} withHelp />
          </div>
          <Facts>
            <Fact name="Environment">
              <EnvironmentTag name={data.environment} />
            </Fact>
            <Fact name="Revision">
              <RevisionChip hash={data.hash} version={data.version} />
            </Fact>
            <Fact name="What">
              {kindWords[data.kind]}
              {data.previous_version !== null && (
                <>
                  , in place of v{data.previous_version}
                  <Link
                    to="/rulesets/$name"
                    params={{ name: data.ruleset }}
                    search={({ environment }) => ({
                      environment,
                      tab: 'revisions',
                      from: data.previous_version ?? undefined,
                      to: data.version,
                    })}
                  >
                    compare
                  </Link>
                </>
              )}
            </Fact>
            <Fact name="Who">
              <PrincipalChip who={data.by} />
            </Fact>
            <Fact name="When">
              <Instant at={data.at} form="exact" />
            </Fact>
            <Fact name={data.kind === 'rollback' ? 'Reason' : 'Note'}>
              {data.note ?? <span className={classes.quiet}>none</span>}
            </Fact>
          </Facts>
          {data.agents.length > 0 && (
            <section aria-label="Agents">
              <h2 className={classes.heading}>Agents</h2>
              <ul className={classes.agents}>
                {data.agents.map(({ agent_id, state, since }) => (
                  <li key={agent_id}>
                    <PageLink to={`/fleet/${data.environment}/${agent_id}`} className={classes.agent}>
                      {agent_id}
                    </PageLink>
                    <span className={classes.state} data-state={state}>
                      <StateMark state={state} />
                      {stateWords[state]}
                    </span>
                    <span className={classes.quiet}>
                      <Instant at={since} />
                    </span>
                  </li>
                ))}
              </ul>
              {data.counts.total > data.agents.length && (
                <p className={classes.quiet}>and {data.counts.total - data.agents.length} more that need no look</p>
              )}
            </section>
          )}
          {!data.is_current && mayRollOut && (
            <div className={classes.formActs}>
              <Button variant="default" onClick={() => onReview(data.version, data.environment)}>
                Roll out v{data.version} again
              </Button>
            </div>
          )}
        </div>
      )}
    </SideDrawer>
  )
}

function sentenceOf(rollout: Parameters<typeof isUnderWay>[0]): string {
  const { counts, is_current } = rollout
  if (!is_current) return 'Another revision took its place.'
  if (counts.total === 0) return 'It is live; the next agent that asks gets it.'
  if (counts.overdue > 0)
    return `${counts.running} of ${counts.total} run it; ${counts.overdue} should by now and do not.`
  if (isUnderWay(rollout)) return `${counts.running} of ${counts.total} run it so far.`
  return counts.offline > 0
    ? `Every connected agent runs it: ${counts.running} of ${counts.total}.`
    : counts.total === 1
      ? 'Its one agent runs it.'
      : `All ${counts.total} run it.`
}
