import { Button } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useCan, useSession } from '../../api/session.ts'
import type { Overview } from '../../api/types.ts'
import { CheckIcon } from '../../ui/icons.tsx'
import { PageLink } from '../../ui/page-link.tsx'
import { Snippet } from '../../ui/snippets/snippet.tsx'
import { useExampleRuleset } from '../rulesets/example-ruleset.ts'
import classes from './first-steps.module.css'

type Start = Overview['start']

/** From nothing to a governed call. Each step checks itself as soon as it is true. */
export function FirstSteps({ start }: { readonly start: Start }) {
  const navigate = useNavigate()
  const mayMakeKeys = useCan('keys:write')
  const { server, environments } = useSession()
  const environment = environments.find(({ is_protected }) => !is_protected)?.name ?? 'development'
  const ruleset = useExampleRuleset(environment)
  const isConnected = start.has_agent && start.has_event
  return (
    <section className={classes.start} aria-label="First steps">
      <h2>Govern the first call</h2>
      <ol>
        <Step isDone={start.has_key} title="Make a key">
          <p>An agent shows it to fetch its rules and to ask for approvals.</p>
          {!start.has_key && mayMakeKeys && (
            <Button onClick={() => void navigate({ href: '/keys?make=true' })}>Make a key</Button>
          )}
        </Step>
        <Step isDone={start.has_rollout} title="Roll out a ruleset">
          <p>
            Write or upload the rules, then make a revision live in an environment.{' '}
            <PageLink to="/rulesets">Rulesets</PageLink>
          </p>
        </Step>
        <Step
          isDone={isConnected}
          title={start.has_agent && !start.has_event ? 'Make the first call' : 'Connect an agent'}
        >
          {isConnected ? (
            <p>An agent is connected and its calls arrive.</p>
          ) : (
            <>
              <p role="status">
                {start.has_agent
                  ? 'An agent is connected. Its first call will show here.'
                  : 'This line checks itself when the agent connects. Put your key into the example and run it.'}
              </p>
              <Snippet url={server.base_url} agentKey="YOUR_KEY" environment={environment} ruleset={ruleset} />
            </>
          )}
        </Step>
      </ol>
    </section>
  )
}

type StepProps = { readonly isDone: boolean; readonly title: string; readonly children: ReactNode }

function Step({ isDone, title, children }: StepProps) {
  return (
    <li data-done={isDone || undefined}>
      <span className={classes.mark}>{isDone && <CheckIcon size={14} />}</span>
      <div className={classes.step}>
        <h3>
          {title}
          {isDone && <span className="cs-hidden">, done</span>}
        </h3>
        {children}
      </div>
    </li>
  )
}
