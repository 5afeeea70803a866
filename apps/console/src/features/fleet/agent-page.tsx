import type { AgentDetail } from '@countersign/wire'
import { Button } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { api } from '../../api/client.ts'
import { useCanIn } from '../../api/session.ts'
import { Page } from '../../frame/page.tsx'
import { ConfirmDestructive } from '../../ui/confirm-destructive.tsx'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { Fact, Facts } from '../../ui/facts.tsx'
import { Instant } from '../../ui/instant.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { Notice } from '../../ui/notice.tsx'
import { PageLink } from '../../ui/page-link.tsx'
import { RevisionChip } from '../../ui/revision-chip.tsx'
import { tell } from '../../ui/tell.tsx'
import ui from '../../ui/ui.module.css'
import { AgentTools } from '../coverage/agent-tools.tsx'
import { AgentForm } from './agent-form.tsx'
import classes from './fleet.module.css'
import { agentQuery } from './queries.ts'
import { agentRoute } from './route.ts'
import { StatusBadge } from './status-badge.tsx'
import { Timeline } from './timeline.tsx'
import { evidenceWords, sourceWords, statusWords } from './words.ts'

export function AgentPage() {
  const { in: environment, agent } = agentRoute.useParams()
  const { data, error, isPending, refetch } = useQuery(agentQuery(environment, agent))
  return (
    <Page title={agent} crumbs={[{ word: 'Fleet', to: '/fleet' }]} aside={<EnvironmentTag name={environment} />}>
      {isPending && <Loading />}
      {!isPending && !data && (
        <Failed what={`${agent} could not be read`} error={error} onRetry={() => void refetch()} />
      )}
      {data && <Agent agent={data} />}
    </Page>
  )
}

function Agent({ agent }: { readonly agent: AgentDetail }) {
  const mayManage = useCanIn('fleet:manage', agent.environment)
  const mayAssign = useCanIn('assignments:write', agent.environment)
  const { cannot_follow, manifest } = agent
  return (
    <div className={classes.columns}>
      <div className={classes.main}>
        {cannot_follow && (
          <Notice tone="bad">
            It asks for <code>{cannot_follow.asks_for}</code> and cannot be given <code>{cannot_follow.assigned}</code>.{' '}
            {cannot_follow.remedy}
          </Notice>
        )}
        <AgentFacts agent={agent} />
        {manifest && (
          <section className={classes.section}>
            <h2>Manifest</h2>
            <p className={ui.quiet}>
              As the agent reported it <Instant at={manifest.at} />; not proof.
            </p>
            <ul className={classes.manifest}>
              {manifest.rules.map((rule) => (
                <li key={rule.id}>
                  <code>{rule.id}</code>
                  <span className={ui.quiet}>{rule.tools.join(', ')}</span>
                  {rule.mode !== null && <span className={ui.word}>{rule.mode}</span>}
                </li>
              ))}
            </ul>
          </section>
        )}
        <section className={classes.section}>
          <h2>Tools</h2>
          <AgentTools environment={agent.environment} agent={agent.agent_id} />
        </section>
        <section className={classes.section}>
          <h2>Timeline</h2>
          <Timeline environment={agent.environment} agent={agent.agent_id} />
        </section>
      </div>
      <aside className={classes.side}>
        <AgentForm
          key={`${agent.environment} ${agent.agent_id}`}
          agent={agent}
          mayManage={mayManage}
          mayAssign={mayAssign}
        />
        {mayManage && <Forget agent={agent} />}
      </aside>
    </div>
  )
}

function AgentFacts({ agent }: { readonly agent: AgentDetail }) {
  const {
    status,
    running,
    expected,
    ruleset,
    ruleset_source,
    rule_pattern,
    live_streams,
    asks_for,
    agent_id,
    environment,
  } = agent
  return (
    <Facts>
      <Fact name="State">
        <StatusBadge status={status} /> <span className={ui.quiet}>{statusWords[status].help}.</span>
      </Fact>
      <Fact name="Ruleset">
        {ruleset === null ? 'none' : <PageLink to={`/rulesets/${ruleset}`}>{ruleset}</PageLink>}
        <span className={ui.quiet}>
          {sourceWords[ruleset_source]}
          {rule_pattern !== null && (
            <>
              {' '}
              for <code>{rule_pattern}</code>
            </>
          )}
        </span>
      </Fact>
      <Fact name="Rolled out">
        {expected === null ? (
          'nothing in this environment'
        ) : (
          <>
            v{expected.version} <Instant at={expected.rolled_out_at} />
          </>
        )}
      </Fact>
      <Fact name="Runs">
        {running === null ? (
          'never said'
        ) : (
          <>
            <RevisionChip
              hash={running.revision_hash}
              {...(running.version !== null && { version: running.version })}
            />
            <span className={ui.quiet}>
              {running.ruleset === null ? 'of no ruleset here; ' : ''}
              {evidenceWords[running.source]}, <Instant at={running.at} />
            </span>
          </>
        )}
      </Fact>
      <Fact name="Asks for">{asks_for ?? 'nothing by name'}</Fact>
      <Fact name="Streams">
        {live_streams.length === 0 ? (
          'none open'
        ) : (
          <ul className={classes.streams}>
            {live_streams.map((stream) => (
              <li key={stream.id}>
                since <Instant at={stream.connected_at} /> from <code>{stream.address}</code>{' '}
                <span className={ui.quiet}>
                  {stream.client} · key{' '}
                  {stream.key_label === null || stream.key_label === '' ? 'without label' : stream.key_label}
                </span>
              </li>
            ))}
          </ul>
        )}
      </Fact>
      <Fact name="Heard of">
        <span>
          last <Instant at={agent.last_seen_at} />, first <Instant at={agent.first_seen_at} />
        </span>
      </Fact>
      <Fact name="Events">
        <PageLink to="/events" search={{ agent: agent_id, environment }}>
          What it reported
        </PageLink>
      </Fact>
      {agent.other_environments.length > 0 && (
        <Fact name="Also in">
          {agent.other_environments.map((other) => (
            <PageLink key={other} to={`/fleet/${other}/${agent_id}`}>
              {other}
            </PageLink>
          ))}
        </Fact>
      )}
    </Facts>
  )
}

function Forget({ agent }: { readonly agent: AgentDetail }) {
  const [isOpen, setOpen] = useState(false)
  const client = useQueryClient()
  const navigate = useNavigate()
  const forget = useMutation({
    mutationFn: () =>
      api.delete(`/agents/${encodeURIComponent(agent.agent_id)}`, { query: { environment: agent.environment } }),
    onSuccess: async () => {
      tell(`${agent.agent_id} was forgotten`, 'It appears again as soon as it is heard of.')
      await navigate({ to: '/fleet' })
    },
    onSettled: () => client.invalidateQueries({ queryKey: ['agents'] }),
  })
  return (
    <section className={classes.section}>
      <h2>Gone for good?</h2>
      <p className={ui.quiet}>Forgetting takes it off the fleet with its name, tags and assignment. Its events stay.</p>
      <Button variant="default" onClick={() => setOpen(true)}>
        Forget the agent
      </Button>
      <ConfirmDestructive
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        title={`Forget ${agent.agent_id}`}
        name={agent.agent_id}
        action="Forget the agent"
        onConfirm={() => forget.mutate()}
        isBusy={forget.isPending}
        error={forget.error}
      >
        <p>
          {agent.is_connected
            ? 'It is connected now, so it will be back at its next sign of life, without name, tags and assignment.'
            : 'It is not connected.'}
        </p>
      </ConfirmDestructive>
    </section>
  )
}
