import type { RolloutTrial } from '@countersign/wire'
import { Button, Progress } from '@mantine/core'
import { useState } from 'react'
import { useCanIn } from '../../api/session.ts'
import { Countdown } from '../../ui/countdown.tsx'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { Instant } from '../../ui/instant.tsx'
import { useMoment } from '../../ui/now.ts'
import { PageLink } from '../../ui/page-link.tsx'
import ui from '../../ui/ui.module.css'
import { DecideTrial } from './decide-trial.tsx'
import { isObserving } from './trial-queries.ts'
import { conditionWords, tallyWords } from './trial-words.ts'
import classes from './trials.module.css'

/** One trial while it can still be decided: how long it goes on, what it would have stopped, what happens then. */
export function TrialCard({ trial }: { readonly trial: RolloutTrial }) {
  const { ruleset, environment, version, trial_version, rules, would_block_max, made_at, ends_at, made_by } = trial
  const mayDecide = useCanIn('rollouts:write', environment)
  const [asking, setAsking] = useState<'promotion' | 'cancellation' | null>(null)
  const goesOn = isObserving(trial)
  const filter = [...rules.map((rule) => `rule:${quoted(rule)}`), `verdict:would-block`].join(' ')
  return (
    <li className={classes.card} data-status={trial.status}>
      <div className={classes.head}>
        <EnvironmentTag name={environment} />
        <strong>
          {ruleset} v{version}
        </strong>
        <span className={classes.quiet}>
          observed as v{trial_version} since <Instant at={made_at} /> by {made_by.label}
        </span>
        {goesOn ? <Countdown deadline={ends_at} /> : <span className={ui.care}>waits for a decision</span>}
      </div>
      <Going trial={trial} />
      <p>
        <strong>{tallyWords(trial)}.</strong>{' '}
        {goesOn
          ? `It enforces by itself when the time is over, if ${conditionWords(would_block_max)}.`
          : 'That is more than was allowed, so it goes on observing until a person decides.'}
      </p>
      <p className={classes.quiet}>
        Observed:{' '}
        {rules.slice(0, 6).map((rule, at) => (
          <span key={rule}>
            {at > 0 && ', '}
            <code>{rule}</code>
          </span>
        ))}
        {rules.length > 6 && ` and ${rules.length - 6} more`}.{' '}
        <PageLink to="/events" search={{ filter, since: made_at, environment }}>
          Calls they would have stopped
        </PageLink>
      </p>
      {mayDecide && (
        <div className={classes.acts}>
          <Button variant="default" onClick={() => setAsking('cancellation')}>
            Abandon
          </Button>
          <Button onClick={() => setAsking('promotion')}>Enforce now</Button>
        </div>
      )}
      {asking !== null && <DecideTrial trial={trial} act={asking} onClose={() => setAsking(null)} />}
    </li>
  )
}

function Going({ trial: { made_at, ends_at, status } }: { readonly trial: RolloutTrial }) {
  const now = useMoment()
  const [from, to] = [Date.parse(made_at), Date.parse(ends_at)]
  const share =
    status === 'stopped' || to <= from ? 100 : Math.max(0, Math.min(100, ((now - from) / (to - from)) * 100))
  return (
    <Progress
      value={share}
      size={6}
      aria-label="How much of its time is over"
      color={status === 'stopped' ? 'yellow' : undefined}
    />
  )
}

function quoted(rule: string): string {
  return /\s/.test(rule) ? `"${rule}"` : rule
}
